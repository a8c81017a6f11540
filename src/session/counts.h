// What the sessions of all kinds count, for /v1/status. Relaxed atomics.
#pragma once

#include <atomic>
#include <cstdint>

#include "session/options.h"
#include "session/record.h"

namespace stateway::session {

struct Counts {
  using Count = std::atomic<std::uint64_t>;
  Count to_client{0};  // sessions that moved into their cookies
  Count to_store{0};   // … out of their cookies, or from an instance, into the store
  Count outgrown{0};   // of those, because no cookie holds them (placement client)
  Count unmoved{0};    // moves put off to a later exchange, because the store would not have it
  Count stale{0};      // cookies older than the version this process had made

  void moved(Home from, Home to, Placement placement) {
    if (from == to) return;
    if (to == Home::client) add(to_client);
    if (to == Home::store) add(to_store);
    if (to == Home::store && from == Home::client && placement == Placement::client) add(outgrown);
  }
  static void add(Count& count) { count.fetch_add(1, std::memory_order_relaxed); }
};

}  // namespace stateway::session
