// How the fixtures wait: a condition, a deadline, and an exception that says what did not happen.
#pragma once

#include <poll.h>

#include <stdexcept>
#include <string>

#include "base/clock.h"

namespace stateway::stores {

/// Polls `condition` until it holds. Throws std::runtime_error naming `what` after `limit`.
template <class F>
void wait_until(const std::string& what, F condition, Duration limit = 20s) {
  const TimePoint deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("not in time: " + what);
    pollfd nothing{};
    poll(&nothing, 0, 5);
  }
}

}  // namespace stateway::stores
