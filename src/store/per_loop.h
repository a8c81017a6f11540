// What a store on another machine has per event loop: its connections.
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "base/check.h"
#include "io/loop.h"

namespace stateway::store {

/// Each T belongs to its loop: only that uses it, and it dies on the loop's thread or when the loop runs no
/// more. Finding it is thread-safe.
template <class T>
class PerLoop {
 public:
  T& add(io::Loop& loop, std::unique_ptr<T> part) {
    T& added = *part;
    const std::unique_lock lock(mutex_);
    parts_.emplace_back(&loop, std::move(part));
    return added;
  }
  /// CHECKs that the loop has been attached.
  T& on(const io::Loop& loop) const {
    const std::shared_lock lock(mutex_);
    for (const auto& [owner, part] : parts_)  // a handful
      if (owner == &loop) return *part;
    CHECK(false);
  }
  void remove(const io::Loop& loop) {
    std::unique_ptr<T> gone;  // dies after the lock
    const std::unique_lock lock(mutex_);
    for (auto& [owner, part] : parts_) {
      if (owner != &loop) continue;
      gone = std::move(part);
      std::swap(part, parts_.back().second);
      std::swap(owner, parts_.back().first);
      parts_.pop_back();
      return;
    }
  }

 private:
  mutable std::shared_mutex mutex_;
  std::vector<std::pair<const io::Loop*, std::unique_ptr<T>>> parts_;
};

}  // namespace stateway::store
