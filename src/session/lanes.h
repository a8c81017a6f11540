// One at a time per session, in order of arrival, across all loops of the process: commits of one session
// queue here instead of racing each other to a conflict, and, in a Lanes of their own, the exchanges of
// lane = "serial". Sharded by session; no lock is shared by all.
#pragma once

#include <array>
#include <coroutine>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "io/loop.h"

namespace stateway::session {

/// Thread-safe. Must outlive its leases and waiters.
class Lanes {
 public:
  class Lease;
  class Enter;

  /// Waits for `key`'s turn. Result: a lease that ends the turn when it dies; Code::lane_full at once when
  /// `waiting_max` wait already, or at `deadline`.
  Enter enter(io::Loop& loop, std::string key, TimePoint deadline, std::size_t waiting_max);

  /// Keys that are held or waited for now.
  std::size_t busy() const;

 private:
  // A place in a queue. Shared by the waiting coroutine and the lane; `waiting` is touched by the loop's
  // thread only.
  struct Place {
    explicit Place(io::Loop& l) : loop(l) {}
    io::Loop& loop;
    std::coroutine_handle<> waiting;
    bool granted = false;
  };
  struct Lane {
    std::deque<std::shared_ptr<Place>> queue;  // behind the holder
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::string, Lane> lanes;
  };
  static constexpr std::size_t kShards = 64;

  class GrantMail;
  Shard& shard_of(std::string_view key) { return shards_[std::hash<std::string_view>{}(key) % kShards]; }
  void release(const std::string& key);
  void leave(const std::string& key, const std::shared_ptr<Place>& place);

  std::array<Shard, kShards> shards_;
};

class Lanes::Lease {
 public:
  Lease() = default;
  Lease(Lanes& lanes, std::string key) : lanes_(&lanes), key_(std::move(key)) {}
  Lease(Lease&& other) noexcept : lanes_(std::exchange(other.lanes_, nullptr)), key_(std::move(other.key_)) {}
  Lease& operator=(Lease&& other) noexcept {
    if (this != &other) {
      end();
      lanes_ = std::exchange(other.lanes_, nullptr);
      key_ = std::move(other.key_);
    }
    return *this;
  }
  ~Lease() { end(); }
  void end() {
    if (lanes_ != nullptr) std::exchange(lanes_, nullptr)->release(key_);
  }

 private:
  Lanes* lanes_ = nullptr;
  std::string key_;
};

class Lanes::Enter : private io::Timer {
 public:
  Enter(Lanes& lanes, io::Loop& loop, std::string key, TimePoint deadline, std::size_t waiting_max)
      : Timer(loop.timers()),
        lanes_(lanes),
        loop_(loop),
        key_(std::move(key)),
        deadline_(deadline),
        waiting_max_(waiting_max) {}
  ~Enter() override;
  bool await_ready();  // true when nobody holds the lane, or too many wait for it
  void await_suspend(std::coroutine_handle<> h);
  Result<Lease> await_resume();

 private:
  void on_timer() override;

  Lanes& lanes_;
  io::Loop& loop_;
  std::string key_;
  TimePoint deadline_;
  std::size_t waiting_max_;
  std::shared_ptr<Place> place_;
  bool holds_ = false;
};

inline Lanes::Enter Lanes::enter(io::Loop& loop, std::string key, TimePoint deadline,
                                 std::size_t waiting_max) {
  return Enter(*this, loop, std::move(key), deadline, waiting_max);
}

}  // namespace stateway::session
