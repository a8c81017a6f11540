// Which instance gets the next request. Policies see load only: health, limits and retries are the caller's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/random.h"
#include "upstream/options.h"

namespace stateway::upstream {

/// An instance that may be chosen.
struct Candidate {
  std::size_t index;  // its place in the service; stable while others come and go
  unsigned active;    // requests in flight
};

/// Belongs to one loop. Asking again without the last answer yields the next best: candidates, best first.
class Balancer {
 public:
  virtual ~Balancer() = default;
  /// The best one's position in `candidates`, which is not empty and in ascending order of index.
  virtual std::size_t best(std::span<const Candidate> candidates) = 0;
};

/// Takes turns by index, so that each of n candidates gets every n-th request. Starts anywhere, lest all
/// loops begin with the same instance.
class RoundRobin final : public Balancer {
 public:
  /// `random` must outlive the balancer.
  explicit RoundRobin(Random& random) : random_(random) {}
  std::size_t best(std::span<const Candidate> candidates) override;

 private:
  Random& random_;
  std::optional<std::size_t> next_;  // the least index that has its turn
};

/// The less busy of two drawn at random: close to the least busy one, without the herd that a stale view of
/// the least busy one causes.
class PowerOfTwo final : public Balancer {
 public:
  /// `random` must outlive the balancer.
  explicit PowerOfTwo(Random& random) : random_(random) {}
  std::size_t best(std::span<const Candidate> candidates) override;

 private:
  Random& random_;
};

std::unique_ptr<Balancer> make_balancer(Balance policy, Random& random);

}  // namespace stateway::upstream
