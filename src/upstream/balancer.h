// Which instance gets the next request. Policies see load only: health, limits and retries are the caller's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/random.h"
#include "upstream/options.h"

namespace stateway::upstream {

/// An instance that may be chosen.
struct Candidate {
  std::size_t index;        // its place in the service; stable while others come and go
  unsigned active;          // requests in flight
  std::uint64_t place = 0;  // Instance::place
};

/// Of a key or a name: the same in every process and every release. Not against those who look for
/// collisions: what they gain is bounded by `by_key`.
std::uint64_t stable_hash(std::string_view text);
/// Two hashes as one, evenly spread.
std::uint64_t mixed(std::uint64_t a, std::uint64_t b);

/// The position of the instance that `key` belongs to. Rendezvous hashing: each candidate draws a number from
/// the key and its own place, and the highest wins. So all loops agree, without a table, and whoever
/// leaves or comes moves its own share of the keys only. One that has more than kKeyedLoadMax times the mean
/// of requests in flight, this one included, and more than kKeyedLoadFree, is passed over for the next
/// highest: a popular key must not bury its instance. `candidates` is not empty.
std::size_t by_key(std::span<const Candidate> candidates, std::uint64_t key);
/// A lower bound moves more keys away from where their caches are, a higher one lets loads drift apart more.
inline constexpr double kKeyedLoadMax = 1.25;
/// Under so few requests the mean says nothing.
inline constexpr unsigned kKeyedLoadFree = 4;

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

/// The least busy one; of several, one drawn at random. Loops that count by a stale view of each other may
/// run to the same one: p2c does not.
class LeastRequests final : public Balancer {
 public:
  /// `random` must outlive the balancer.
  explicit LeastRequests(Random& random) : random_(random) {}
  std::size_t best(std::span<const Candidate> candidates) override;

 private:
  Random& random_;
};

/// For requests without a key.
std::unique_ptr<Balancer> make_balancer(Balance policy, Random& random);

}  // namespace stateway::upstream
