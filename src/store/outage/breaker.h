// Whether a server of the store is worth asking: during an outage no request may wait for its time-out.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace stateway::store::outage {

/// One per StateStore::partition. Closed: the server is asked. Open: it is away, and only probes ask it.
/// Hysteresis: it takes several failures, or one that was slow, to open it and several probes in a row to
/// close it; more of them each time it opens again soon after. Thread-safe.
class Breakers {
 public:
  static constexpr unsigned kFailuresToOpen = 3;  // in a row
  static constexpr Duration kSlow = 500ms;        // one failure that took so long is enough
  static constexpr unsigned kProbesToClose = 2;   // in a row
  static constexpr unsigned kProbesToCloseMost = 32;
  static constexpr Duration kStable = 10s;  // closed for so long: the next outage is a new one

  /// Whether the partition's server is away.
  bool open(std::size_t partition) const;
  /// Whether any is.
  bool any_open() const;
  /// Since when the first of those that are away now is; 0: none is.
  WallMillis since() const;

  /// What an operation on `key` met. A failure is store_unavailable; all else is an answer.
  /// Returns whether that changed the breaker.
  bool failed(std::size_t partition, std::string_view key, Duration took, TimePoint now, WallMillis wall);
  void answered(std::size_t partition);
  /// What a probe met. True: the breaker is closed now.
  bool probed(std::size_t partition, bool answered, TimePoint now);

  struct Probe {
    std::size_t partition = 0;
    std::string key;  // that failed last: it is there
  };
  /// What the open ones are to be asked.
  std::vector<Probe> probes() const;

 private:
  struct Breaker {
    bool open = false;
    WallMillis since = 0;
    unsigned failures = 0;  // in a row
    unsigned probes = 0;    // answered, in a row
    unsigned probes_to_close = kProbesToClose;
    TimePoint closed_at{};
    bool was_open = false;
    std::string key;
  };
  mutable std::mutex mutex_;
  std::map<std::size_t, Breaker> breakers_;  // of those that failed once
};

}  // namespace stateway::store::outage
