#include "upstream/balancer.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace stateway::upstream {

// FNV-1a, and the finalizer of splitmix64, which spreads what FNV leaves close together.
std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return mixed(h, 0);
}

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  std::uint64_t h = a + 0x9e3779b97f4a7c15 * (b + 1);
  h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9;
  h = (h ^ (h >> 27)) * 0x94d049bb133111eb;
  return h ^ (h >> 31);
}

std::size_t by_key(std::span<const Candidate> candidates, std::uint64_t key) {
  CHECK(!candidates.empty());
  double total = 1;
  for (const Candidate& c : candidates) total += c.active;
  const double mean = total / static_cast<double>(candidates.size());
  const auto bound = std::max(kKeyedLoadFree, static_cast<unsigned>(std::ceil(kKeyedLoadMax * mean)));
  std::optional<std::size_t> chosen;  // there is one: not all can have more than the mean
  std::uint64_t highest = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::uint64_t drawn = mixed(key, candidates[i].place);
    if (candidates[i].active >= bound || (chosen && drawn <= highest)) continue;
    chosen = i;
    highest = drawn;
  }
  return chosen.value();
}

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

std::size_t LeastRequests::best(std::span<const Candidate> candidates) {
  CHECK(!candidates.empty());
  const unsigned least = std::ranges::min(candidates, {}, &Candidate::active).active;
  const auto ties = std::ranges::count(candidates, least, &Candidate::active);
  std::uint64_t skip = ties == 1 ? 0 : random_.below(static_cast<std::uint64_t>(ties));
  std::size_t chosen = 0;
  while (candidates[chosen].active != least || skip-- > 0) ++chosen;
  return chosen;
}

std::unique_ptr<Balancer> make_balancer(Balance policy, Random& random) {
  switch (policy) {
    case Balance::least_requests:
      return std::make_unique<LeastRequests>(random);
    case Balance::p2c:
    case Balance::hash:
      return std::make_unique<PowerOfTwo>(random);
    case Balance::round_robin:
      return std::make_unique<RoundRobin>(random);
  }
  CHECK(false);
}

}  // namespace stateway::upstream
