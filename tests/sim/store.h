// A store behind a line that is slow, fails, and dies with its gateway: its durable half is a MemoryStore
// that survives.
#pragma once

#include <cstdint>
#include <memory>

#include "io/sim/faults.h"
#include "io/sim/loop.h"
#include "io/task_group.h"
#include "io/wait_queue.h"
#include "store/store.h"

namespace stateway::sim {

/// Rates are probabilities of each load or commit.
struct StoreFaults {
  Duration delay_min = std::chrono::microseconds(10);  // of each half of an operation
  Duration delay_max = std::chrono::microseconds(500);
  double slow = 0;  // … or up to slow_max
  Duration slow_max = 1s;
  double load_fails = 0;
  double fails_before = 0;  // a commit: not applied, store_unavailable
  double fails_after = 0;   // applied, and nobody learns: store_unavailable
  double poison = 0;        // as fails_before or fails_after, and then no commit is taken any more
};

/// What one gateway process knows of the store. Commits go on when their waiter is destroyed, and end with
/// this object: those that did not reach `durable` by then never happened.
class Store final : public store::StateStore, private store::Leases {
 public:
  Store(io::SimLoop& loop, Random& random, store::StateStore& durable, const StoreFaults& faults)
      : loop_(loop), random_(random), durable_(durable), faults_(faults) {}

  io::Task<Result<std::optional<store::Record>>> load(io::Loop& loop, std::string key) override;
  io::Task<Result<store::Committed>> commit(io::Loop& loop, store::Batch batch) override;
  void touch(io::Loop& loop, std::string_view key, WallMillis expires_at) override {
    durable_.touch(loop, key, expires_at);
  }
  io::Task<Result<std::vector<store::Entry>>> list(io::Loop& loop, store::Query query) override {
    return durable_.list(loop, std::move(query));
  }
  io::Task<Result<std::size_t>> sweep(io::Loop& loop, std::size_t most) override {
    return durable_.sweep(loop, most);
  }
  store::Stats stats() const override { return durable_.stats(); }
  void set_sessions_max(std::uint64_t most) override { durable_.set_sessions_max(most); }
  store::Leases* leases() override { return this; }

  void set_faults(const StoreFaults& faults) { faults_ = faults; }
  std::uint64_t conflicts() const { return conflicts_; }
  /// Commits that are not over.
  std::size_t pending() const { return jobs_.running(); }

 private:
  io::Task<Result<std::uint64_t>> take(io::Loop& loop, std::string key, Duration ttl) override;
  void extend(io::Loop& loop, std::string_view key, std::uint64_t token, Duration ttl) override {
    durable_.leases()->extend(loop, key, token, ttl);
  }
  void give_back(io::Loop& loop, std::string_view key, std::uint64_t token) override {
    durable_.leases()->give_back(loop, key, token);
  }

  struct Job;
  Duration delay();
  io::Task<void> run(std::shared_ptr<Job> job);
  io::Task<Result<store::Committed>> apply(store::Batch batch);

  io::SimLoop& loop_;
  Random& random_;
  store::StateStore& durable_;
  StoreFaults faults_;
  bool poisoned_ = false;
  std::uint64_t conflicts_ = 0;
  io::TaskGroup jobs_;
};

}  // namespace stateway::sim
