#include "json/number.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <string>

#include "base/random.h"

namespace stateway::json {
namespace {

std::string written(double d) {
  std::string out;
  append_double(out, d);
  return out;
}

TEST(Number, EveryDoubleReadsBack) {
  SeededRandom random(1);
  for (int i = 0; i < 200'000; ++i) {
    const double d = std::bit_cast<double>(random.u64());
    if (!std::isfinite(d)) continue;
    const std::optional<double> again = exact_double(written(d));
    ASSERT_TRUE(again) << written(d);
    ASSERT_EQ(std::bit_cast<std::uint64_t>(*again), std::bit_cast<std::uint64_t>(d)) << written(d);
  }
}

TEST(Number, UpToFifteenDigitsAreKept) {
  SeededRandom random(2);
  for (int i = 0; i < 50'000; ++i) {
    const std::string digits = std::to_string(random.below(1'000'000'000'000'000));
    const std::string text = (random.below(2) == 0 ? "-" : "") + digits + "e" +
                             std::to_string(static_cast<int>(random.below(580)) - 300);
    const std::optional<double> d = exact_double(text);
    ASSERT_TRUE(d) << text;
    // tidy: parsing: another reader, to be compared with.
    ASSERT_EQ(*d, std::strtod(text.c_str(), nullptr)) << text;
  }
}

// Of the 17-digit decimals around a double, one is its shortest form; the others would be changed.
TEST(Number, OnlyTheShortestOfManyDigitsIsKept) {
  EXPECT_TRUE(exact_double("0.30000000000000004"));
  for (const char* text : {"0.30000000000000003", "0.30000000000000005", "0.30000000000000006"})
    EXPECT_FALSE(exact_double(text)) << text;
  EXPECT_TRUE(exact_double("3000000000000000.4e-16"));
  EXPECT_TRUE(exact_double("0.00000000000000000000000000000000000000000000100000"));
  EXPECT_TRUE(exact_double("1000000000000000000000000000000000000000000000000000.000"));
  EXPECT_FALSE(exact_double("1000000000000000000000000000000000000000000000000001.0"));
}

}  // namespace
}  // namespace stateway::json
