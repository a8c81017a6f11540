// What the sessions of all kinds count, for /v1/status.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "session/options.h"
#include "session/record.h"

namespace stateway::session {

/// Sessions of one kind that went elsewhere, since the start.
struct Moves {
  std::uint64_t to_client = 0;      // into their cookies
  std::uint64_t to_store = 0;       // out of their cookies, or from an instance, into the store
  std::uint64_t outgrown = 0;       // of those, because no cookie holds them (placement client)
  WallMillis last_from_client = 0;  // when the last one came out of its cookie; 0: none did
  WallMillis last_from_instance = 0;
};

/// Thread-safe.
class Counts {
 public:
  using Count = std::atomic<std::uint64_t>;
  Count unmoved{0};  // moves put off to a later exchange, because the store would not have it
  Count stale{0};    // cookies older than the version this process had made

  void moved(Home from, Home to, const SessionOptions& kind, WallMillis now) {
    if (from == to) return;
    const std::lock_guard lock(mutex_);
    Moves& moves = moves_[kind.name];
    if (to == Home::client) ++moves.to_client;
    if (to == Home::store) ++moves.to_store;
    if (from == Home::client) moves.last_from_client = now;
    if (from == Home::instance) moves.last_from_instance = now;
    if (to == Home::store && from == Home::client && kind.placement == Placement::client) ++moves.outgrown;
  }
  Moves of(std::string_view kind) const {
    const std::lock_guard lock(mutex_);
    const auto found = moves_.find(kind);
    return found == moves_.end() ? Moves() : found->second;
  }
  static void add(Count& count) { count.fetch_add(1, std::memory_order_relaxed); }

 private:
  mutable std::mutex mutex_;  // taken once in the life of most sessions
  std::map<std::string, Moves, std::less<>> moves_;
};

}  // namespace stateway::session
