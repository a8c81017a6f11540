#include "lab/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace stateway::lab {

std::size_t Histogram::bucket_of(std::uint64_t us) {
  if (us < (1u << kSubBits)) return us;
  const auto doubling = static_cast<unsigned>(std::bit_width(us)) - kSubBits;  // from 1
  if (doubling > kDoublings) return kBuckets - 1;
  const std::uint64_t sub = (us >> (doubling - 1)) - (1u << kSubBits);
  return (static_cast<std::size_t>(doubling) << kSubBits) + sub;
}

std::uint64_t Histogram::upper_end(std::size_t bucket) {
  const std::size_t doubling = bucket >> kSubBits;
  if (doubling == 0) return bucket;
  const std::uint64_t sub = bucket & ((1u << kSubBits) - 1);
  return (((1u << kSubBits) + sub + 1) << (doubling - 1)) - 1;
}

void Histogram::record(Duration value) {
  const auto us =
      std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::microseconds>(value).count());
  ++counts_[bucket_of(static_cast<std::uint64_t>(us))];
  ++count_;
  max_ = std::max(max_, value);
}

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

Duration Histogram::quantile(double share) const {
  if (count_ == 0) return Duration(0);
  const double wanted = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_));
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen >= rank) return std::min<Duration>(max_, std::chrono::microseconds(upper_end(i)));
  }
  return max_;
}

}  // namespace stateway::lab
