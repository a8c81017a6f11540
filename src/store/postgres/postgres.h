// Session state in PostgreSQL: [store] kind = "postgres". Several gateways may share it. Its tables and
// functions: docs/formats/postgres.md; what operators do: docs/guides/postgres.md.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "store/options.h"
#include "store/per_loop.h"
#include "store/postgres/link.h"
#include "store/postgres/target.h"
#include "store/store.h"

namespace stateway::store::postgres {

/// Each loop has one connection for reads and StoreOptions::connections for commits, made when it is
/// attached. A commit is one call of a function of the schema; the commits of a loop's turn are one
/// transaction, which goes as they wait for the one before. Whether a record has expired is judged by the
/// gateway's clock, leases by the server's. A statement whose connection broke is sent again, on another one,
/// until its time is up; a commit without an id is not, once it was sent.
///
/// sessions_max is judged by the sum of the last sweep, or of the start, and this gateway's own changes
/// since.
class PostgresStore final : public StateStore, private Leases, public LinkListener {
 public:
  /// Errors: invalid_argument (the URL). `clock` must outlive the store.
  static Result<std::unique_ptr<PostgresStore>> make(const StoreOptions& options, const WallClock& clock);
  ~PostgresStore() override;

  /// Connects once to see whether the store can be used, and takes its first figures. Blocks. Errors, with a
  /// sentence for the operator: invalid_argument (password, database, rights, no schema or one of another
  /// version), store_unavailable.
  Result<void> check();

  io::Task<Result<std::optional<Record>>> load(io::Loop& loop, std::string key) override;
  io::Task<Result<Committed>> commit(io::Loop& loop, Batch batch) override;
  void touch(io::Loop& loop, std::string_view key, WallMillis expires_at) override;
  io::Task<Result<std::vector<Entry>>> list(io::Loop& loop, Query query) override;
  io::Task<Result<std::size_t>> sweep(io::Loop& loop, std::size_t most) override;
  Stats stats() const override;
  void set_sessions_max(std::uint64_t most) override;
  void attach(io::Loop& loop, io::Network& network) override;
  void detach(io::Loop& loop) override;
  Leases* leases() override { return this; }
  std::uint64_t epoch() const override;

  void connected(const std::string& server, const Facts& facts) override;
  void disconnected(const Error& why) override;
  void settled(const Transaction& transaction) override;

 private:
  class OnLoop;

  PostgresStore(const StoreOptions& options, Target target, const WallClock& clock);

  io::Task<Result<std::uint64_t>> take(io::Loop& loop, std::string key, Duration ttl) override;
  void extend(io::Loop& loop, std::string_view key, std::uint64_t token, Duration ttl) override;
  void give_back(io::Loop& loop, std::string_view key, std::uint64_t token) override;

  TimePoint deadline(io::Loop& loop) const { return loop.now() + options_.timeout; }
  std::int64_t room() const;
  Result<Committed> committed(const Batch& batch, const Rows& rows);

  const StoreOptions options_;
  const Target target_;
  const WallClock& clock_;
  PerLoop<OnLoop> on_loops_;

  std::atomic<std::uint64_t> sessions_max_;
  std::atomic<std::uint64_t> epoch_{0};
  std::atomic<bool> counted_{false};
  std::atomic<bool> away_{false};  // the last thing a connection did was to break
  std::atomic<Durability> durability_;
  std::atomic<std::int64_t> records_{0};
  std::atomic<std::int64_t> ended_{0};
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> conflicts_{0};
  std::atomic<std::uint64_t> groups_{0};
  std::atomic<std::uint64_t> swept_{0};
};

}  // namespace stateway::store::postgres
