// Durations counted in buckets whose width grows with the value, so that percentiles of any number of samples
// cost little memory and are wrong by less than two percent.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"

namespace stateway::lab {

/// Microseconds from 0 to about 73 minutes; what is longer counts as that. Not thread-safe.
class Histogram {
 public:
  void record(Duration value);
  void merge(const Histogram& other);

  std::uint64_t count() const { return count_; }
  /// The smallest duration that at least `share` (0–1) of the samples do not exceed: the upper end of its
  /// bucket, but never more than max(). Zero without samples.
  Duration quantile(double share) const;
  Duration max() const { return max_; }  // exact

 private:
  // 64 buckets of 1 µs, then 64 for each doubling: the width is at most 1/64 of the value.
  static constexpr unsigned kSubBits = 6;
  static constexpr unsigned kDoublings = 26;
  static constexpr std::size_t kBuckets = (kDoublings + 1) << kSubBits;

  static std::size_t bucket_of(std::uint64_t us);
  static std::uint64_t upper_end(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  Duration max_{0};
};

}  // namespace stateway::lab
