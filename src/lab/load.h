// Open-loop load: requests leave when the schedule says, not when the last answer came, and latency is
// counted from then. A server that stalls cannot hide by being asked less.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/random.h"
#include "io/network.h"
#include "io/task_group.h"
#include "lab/cookie_jar.h"
#include "lab/histogram.h"
#include "wire/client.h"

namespace stateway::lab {

struct LoadOptions {
  Address target;
  std::vector<Address> others{};  // more gateways: each turn goes to one of all, drawn by `seed`, and when
                                  // that one takes no connection, to the next
  std::uint64_t seed = 1;
  unsigned clients = 1;        // each with its own cookies and its own connections
  double rate = 100;           // requests per second of all clients together
  std::uint64_t requests = 0;  // ends after so many; 0: by duration alone
  Duration duration{0};        // ends after so long; 0: by requests alone. One of the two must be set
  Duration connect_timeout = 2s;
  Duration exchange_timeout = 30s;  // from sending to the end of the answer
};

/// One place in the schedule.
struct Turn {
  unsigned client = 0;         // 0 … clients - 1
  std::uint64_t sequence = 0;  // of this client, from 0
  TimePoint intended{};        // when the request was due
};

struct Outcome {
  enum class Fate : unsigned char {
    answered,       // `response` is set, whatever its status
    indeterminate,  // sent, at least in part, and the connection broke or the time was up
    not_sent,       // no connection: no server can know of it
  };
  Fate fate = Fate::not_sent;
  const wire::ClientResponse* response = nullptr;
  const Error* error = nullptr;  // set unless answered
  Duration latency{0};           // from the intended time to the end of the answer, or to giving up
};

/// What the clients ask and what they make of the answers. Called on the load's loop.
class Workload {
 public:
  virtual ~Workload() = default;
  /// The request of a turn; Host and Cookie are added.
  virtual wire::ClientRequest make(const Turn& turn) = 0;
  /// Called once for each turn, in the order of the client's turns.
  virtual void done(const Turn& turn, const Outcome& outcome) = 0;
};

struct LoadReport {
  std::uint64_t ok = 0;       // answered with a status below 400
  std::uint64_t refused = 0;  // answered with another
  std::uint64_t indeterminate = 0;
  std::uint64_t not_sent = 0;
  std::map<int, std::uint64_t> statuses;  // of all answers
  Histogram latency;                      // of all answers
  Duration elapsed{0};

  std::uint64_t turns() const { return ok + refused + indeterminate + not_sent; }
  /// One line for a log: counts, statuses, p50, p99 and max.
  std::string text() const;
};

/// Plays one schedule. A client whose last exchange still runs sends late and catches up; none is left out.
/// Belongs to one loop; `network` and `workload` must outlive it.
class Load {
 public:
  Load(io::Loop& loop, io::Network& network, LoadOptions options, Workload& workload);

  /// Runs the schedule from now on, to its end. Once.
  io::Task<LoadReport> run();
  /// Ends the schedule now: exchanges under way are finished, and no other begins.
  void stop() { stopped_ = true; }

  /// Cookies of a client; they stay after the run, so that a test may look at the client's session.
  const CookieJar& cookies(unsigned client) const { return clients_[client].cookies; }

 private:
  struct Client {
    CookieJar cookies;
    std::vector<std::unique_ptr<wire::Client>> connections;  // by target; null: none now
  };

  bool turn_of(unsigned client, std::uint64_t sequence, Turn& out) const;  // false: the schedule is over
  io::Task<void> play(unsigned client);
  io::Task<void> take(Client& client, const Turn& turn);
  io::Task<Result<std::size_t>> connect(Client& client);  // to which target
  void count(const Turn& turn, Outcome outcome);

  io::Loop& loop_;
  io::Network& network_;
  LoadOptions options_;
  Workload& workload_;
  std::vector<Address> targets_;
  std::vector<std::string> hosts_;
  SeededRandom random_;
  TimePoint start_{};
  bool stopped_ = false;
  LoadReport report_;
  std::vector<Client> clients_;
  io::TaskGroup tasks_;
};

}  // namespace stateway::lab
