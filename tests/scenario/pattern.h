// A body whose every octet is known by its place, so that what is lost, doubled or moved is found without
// keeping it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace stateway::scenario {

/// Octets of the pattern from any place on. Its period is a prime, so no buffer size of a program divides it.
class Pattern {
 public:
  static constexpr std::size_t kPeriod = 65521;

  Pattern() {
    std::uint32_t x = 2463534242;
    for (char& c : block_) {
      x ^= x << 13;
      x ^= x >> 17;
      x ^= x << 5;
      c = static_cast<char>(x);
    }
  }
  /// A view of what begins at `offset`: at least one octet, at most `most` > 0.
  std::string_view at(std::uint64_t offset, std::uint64_t most) const {
    const std::size_t start = offset % kPeriod;
    return {block_.data() + start, static_cast<std::size_t>(std::min<std::uint64_t>(kPeriod - start, most))};
  }

 private:
  std::array<char, kPeriod> block_;
};

/// Compares a stream with the pattern as it comes.
class PatternCheck {
 public:
  explicit PatternCheck(const Pattern& pattern) : pattern_(pattern) {}
  void take(std::string_view piece) {
    while (!piece.empty() && good_) {
      const std::string_view wanted = pattern_.at(octets_, piece.size());
      good_ = std::memcmp(wanted.data(), piece.data(), wanted.size()) == 0;
      octets_ += wanted.size();
      piece.remove_prefix(wanted.size());
    }
  }
  bool good() const { return good_; }
  std::uint64_t octets() const { return octets_; }  // seen, up to the first run that was wrong

 private:
  const Pattern& pattern_;
  std::uint64_t octets_ = 0;
  bool good_ = true;
};

}  // namespace stateway::scenario
