// Session state in Redis or Valkey, shared by several gateways. Format: docs/formats/redis.md.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "store/leases.h"
#include "store/options.h"
#include "store/per_loop.h"
#include "store/redis/router.h"
#include "store/store.h"

namespace stateway::store::redis {

/// Every operation ends by the time-out. A commit with an id is sent again, with the same id, until then; one
/// without is not. Expiry is judged by the gateways' clocks; Redis' own only throws away what no gateway came
/// to sweep.
class RedisStore final : public StateStore, private Leases {
 public:
  /// `clock` must outlive the store.
  RedisStore(std::unique_ptr<Topology> topology, const WallClock& clock, Duration timeout,
             std::uint64_t sessions_max);
  ~RedisStore() override;

  /// The one that [store] names: url, timeout, connections, ca_file, durability, replicas, sessions_max. Does
  /// not connect; blocks for the file. Errors: invalid_argument, one sentence.
  static Result<std::unique_ptr<RedisStore>> make(const StoreOptions& options, const WallClock& clock);
  /// Whether it can be used: connects, counts the records, and finds out what commits survive. Blocks, on a
  /// loop of its own. Errors: invalid_argument, what the operator must change; store_unavailable, it may
  /// come; each with a sentence that names the server.
  Result<void> check();
  /// The same on an attached loop.
  io::Task<Result<void>> open(io::Loop& loop);

  io::Task<Result<std::optional<Record>>> load(io::Loop& loop, std::string key) override;
  io::Task<Result<Committed>> commit(io::Loop& loop, Batch batch) override;
  void touch(io::Loop& loop, std::string_view key, WallMillis expires_at) override;
  io::Task<Result<std::vector<Entry>>> list(io::Loop& loop, Query query) override;
  io::Task<Result<std::size_t>> sweep(io::Loop& loop, std::size_t most) override;
  Stats stats() const override;
  void set_sessions_max(std::uint64_t most) override { sessions_max_.store(most); }
  void attach(io::Loop& loop, io::Network& network) override;
  void detach(io::Loop& loop) override;
  Leases* leases() override { return this; }
  std::uint64_t epoch() const override { return topology_->epoch(); }
  std::size_t partition(std::string_view key) const override;

 private:
  struct Part;
  struct Unclaimed;
  struct IndexEntry {
    std::string key;
    WallMillis expires_at;
    std::string principal;
  };
  struct Counters {
    std::atomic<std::int64_t> records{0};
    std::atomic<std::int64_t> ended{0};
    std::atomic<std::uint64_t> commits{0};
    std::atomic<std::uint64_t> conflicts{0};
    std::atomic<std::uint64_t> swept{0};
  };

  io::Task<Result<std::uint64_t>> take(io::Loop& loop, std::string key, Duration ttl) override;
  void extend(io::Loop& loop, std::string_view key, std::uint64_t token, Duration ttl) override;
  void give_back(io::Loop& loop, std::string_view key, std::uint64_t token) override;

  io::Task<Result<void>> find_durability(Part& part, bool again);
  io::Task<Result<bool>> clocks_agree(Part& part);
  std::string_view durability() const;
  std::int64_t room() const;
  void count(const Batch& batch, const Reply& outcome);
  void tidy_up(Part& part, const Batch& batch, const Reply& outcome);
  static std::vector<IndexEntry> entries_of(const Batch& batch);
  io::Task<Result<bool>> write_index(Part& part, std::vector<IndexEntry> entries, TimePoint deadline);
  io::Task<void> index_again(Part& part, std::vector<IndexEntry> entries, TimePoint deadline);
  io::Task<Result<Answer>> run_commit(Part& part, const Batch& batch, bool indexed, TimePoint deadline);
  Result<Committed> conclude(const Batch& batch, const Reply& outcome);

  io::Task<Result<void>> recount(Part& part, TimePoint deadline);
  io::Task<Result<std::vector<std::vector<std::string>>>> due(Part& part, WallMillis now, std::size_t most);
  io::Task<Result<std::size_t>> expire(Part& part, std::size_t shard, std::vector<std::string> keys,
                                       WallMillis now);
  io::Task<Result<std::vector<Entry>>> list_all(Part& part, Query query);
  io::Task<Result<std::vector<Entry>>> list_of_principal(Part& part, Query query);
  io::Task<Result<void>> load_into(Part& part, std::vector<std::string> keys, const Query& query,
                                   std::vector<Entry>& entries);
  io::Task<Result<void>> check_principal(Part& part, std::vector<std::string> strangers,
                                         std::string principal);

  const std::unique_ptr<Topology> topology_;
  const WallClock& clock_;
  const Duration timeout_;
  std::atomic<std::uint64_t> sessions_max_;
  Durability asked_ = Durability::memory;
  std::uint32_t replicas_ = 0;
  Duration clock_margin_ = 0s;
  std::atomic<bool> clocks_apart_{false};
  std::atomic<unsigned> sweeps_{0};
  std::atomic<bool> known_{false};  // these two, of the servers of this epoch
  std::atomic<std::uint64_t> known_epoch_{0};
  std::atomic<Durability> effective_{Durability::memory};
  std::atomic<bool> on_disk_{false};  // each commit has to wait for the disk
  SystemRandom random_;
  Counters counters_;
  PerLoop<Part> parts_;
};

}  // namespace stateway::store::redis
