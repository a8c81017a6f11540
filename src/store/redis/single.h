// One Redis server, at its address.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "base/random.h"
#include "store/redis/connection.h"
#include "store/redis/router.h"

namespace stateway::store::redis {

/// What every kind of topology needs to reach its servers.
struct Access {
  std::string user;
  Secret password;
  unsigned database = 0;
  Duration timeout = 2s;                     // [store] timeout
  std::uint32_t connections = 1;             // of each loop, to each server
  bool patient = true;                       // of ConnectionOptions
  std::shared_ptr<const io::TlsClient> tls;  // nullptr: without

  /// Of the connections for commands that wait for as long as the time-out: silence is no fault there.
  ConnectionOptions options(bool waits) const {
    return {.user = user,
            .password = password,
            .database = database,
            .timeout = timeout,
            .silence = waits ? timeout * 2 : timeout / 2,
            .patient = patient};
  }
};

/// `server` of Answer: a number for a run id, never 0.
std::uint64_t server_number(std::string_view run_id);

/// The reply, or, of several commands in one piece, that of the first.
const Reply& first_of(const Reply& reply);

/// An error of this word, as it is or inside that of a script, where Redis 6.2 has it.
bool says(const Reply& reply, std::string_view word);

/// That the reply says "not now" or "not as a replica": what may be asked again, as nothing was done.
bool is_refusal(const Reply& reply);

/// The connections of one loop to one server. Commands with the same key use the same one, so they are done
/// in their order.
class ServerLink final : private ServerCheck {
 public:
  /// All must outlive the link.
  ServerLink(io::Loop& loop, Dialer& dialer, const Access& access, ServerCheck& check, Random& random);

  /// `key`'s, or the one for commands that wait. One whose server is not the one that was greeted last, at
  /// whichever connection of the link, is dialed anew: it may be a master no more, and all must reach the
  /// same.
  Connection& connection(std::string_view key, bool waits);
  /// Asks until `deadline`, again after refusals and broken connections. As Router::ask.
  io::Task<Result<Answer>> ask(Request request, TimePoint deadline);
  /// As Router::ready.
  io::Task<Result<void>> ready(TimePoint deadline);

 private:
  Result<void> check(const ServerFacts& facts) override;

  io::Loop& loop_;
  Dialer& dialer_;
  const Access& access_;
  ServerCheck& check_;
  Random& random_;
  std::string latest_;  // the run id of who was greeted last
  std::vector<std::unique_ptr<Connection>> data_;
  std::unique_ptr<Connection> waits_;  // from when it is first needed
};

class SingleTopology : public Topology, private ServerCheck {
 public:
  SingleTopology(Address address, Access access) : address_(std::move(address)), access_(std::move(access)) {}

  std::unique_ptr<Router> make_router(io::Loop& loop, io::Network& network) override;
  std::uint64_t epoch() const override { return epoch_.load(std::memory_order_acquire); }
  std::size_t partition(std::string_view) const override { return 0; }
  std::vector<std::string> probes() const override { return {"stateway:{}"}; }

 protected:
  const Access& access() const { return access_; }

 private:
  class SingleRouter;
  /// How a loop finds the server.
  virtual std::unique_ptr<Dialer> make_dialer(io::Loop& loop, io::Network& network);
  Result<void> check(const ServerFacts& facts) override;

  const Address address_;
  const Access access_;
  SystemRandom random_;
  std::mutex mutex_;
  History known_;  // of who was greeted last
  std::atomic<std::uint64_t> epoch_{0};
};

}  // namespace stateway::store::redis
