#include "upstream/balancer.h"

#include "base/check.h"

namespace stateway::upstream {

std::size_t RoundRobin::best(std::span<const Candidate> candidates) {
  CHECK(!candidates.empty());
  if (!next_) next_ = candidates[random_.below(candidates.size())].index;
  std::size_t chosen = 0;  // behind the last index the first has its turn again
  while (chosen < candidates.size() && candidates[chosen].index < *next_) ++chosen;
  if (chosen == candidates.size()) chosen = 0;
  next_ = candidates[chosen].index + 1;
  return chosen;
}

std::size_t PowerOfTwo::best(std::span<const Candidate> candidates) {
  CHECK(!candidates.empty());
  if (candidates.size() == 1) return 0;
  const std::size_t first = random_.below(candidates.size());
  std::size_t second = random_.below(candidates.size() - 1);
  if (second >= first) ++second;
  return candidates[second].active < candidates[first].active ? second : first;
}

std::unique_ptr<Balancer> make_balancer(Balance policy, Random& random) {
  switch (policy) {
    case Balance::p2c:
      return std::make_unique<PowerOfTwo>(random);
    case Balance::round_robin:
      return std::make_unique<RoundRobin>(random);
  }
  CHECK(false);
}

}  // namespace stateway::upstream
