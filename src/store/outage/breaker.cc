#include "store/outage/breaker.h"

#include <algorithm>

namespace stateway::store::outage {

bool Breakers::open(std::size_t partition) const {
  const std::lock_guard lock(mutex_);
  const auto at = breakers_.find(partition);
  return at != breakers_.end() && at->second.open;
}

bool Breakers::any_open() const { return since() != 0; }

WallMillis Breakers::since() const {
  const std::lock_guard lock(mutex_);
  WallMillis first = 0;
  for (const auto& [partition, breaker] : breakers_)
    if (breaker.open && (first == 0 || breaker.since < first)) first = breaker.since;
  return first;
}

bool Breakers::failed(std::size_t partition, std::string_view key, Duration took, TimePoint now,
                      WallMillis wall) {
  const std::lock_guard lock(mutex_);
  Breaker& breaker = breakers_[partition];
  breaker.key = key;
  if (breaker.open || (++breaker.failures < kFailuresToOpen && took < kSlow)) return false;
  const bool again = breaker.was_open && now - breaker.closed_at < kStable;
  breaker.probes_to_close =
      again ? std::min(2 * breaker.probes_to_close, kProbesToCloseMost) : kProbesToClose;
  breaker.open = breaker.was_open = true;
  breaker.since = wall;
  breaker.probes = 0;
  return true;
}

void Breakers::answered(std::size_t partition) {
  const std::lock_guard lock(mutex_);
  const auto at = breakers_.find(partition);
  // What was under way when it opened says nothing about now.
  if (at != breakers_.end() && !at->second.open) at->second.failures = 0;
}

bool Breakers::probed(std::size_t partition, bool answered, TimePoint now) {
  const std::lock_guard lock(mutex_);
  Breaker& breaker = breakers_[partition];
  breaker.probes = answered ? breaker.probes + 1 : 0;
  if (!breaker.open || breaker.probes < breaker.probes_to_close) return false;
  breaker.open = false;
  breaker.failures = 0;
  breaker.closed_at = now;
  return true;
}

std::vector<Breakers::Probe> Breakers::probes() const {
  const std::lock_guard lock(mutex_);
  std::vector<Probe> probes;
  for (const auto& [partition, breaker] : breakers_)
    if (breaker.open) probes.push_back({partition, breaker.key});
  return probes;
}

}  // namespace stateway::store::outage
