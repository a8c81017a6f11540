#include "lab/histogram.h"

#include <gtest/gtest.h>

namespace stateway::lab {
namespace {

using std::chrono::microseconds;

TEST(Histogram, IsZeroWithoutSamples) {
  const Histogram h;
  EXPECT_EQ(h.count(), 0u);
  EXPECT_EQ(h.quantile(0.99), Duration(0));
}

TEST(Histogram, IsExactBelow64Microseconds) {
  Histogram h;
  for (int us = 1; us <= 50; ++us) h.record(microseconds(us));
  EXPECT_EQ(h.quantile(0.5), microseconds(25));
  EXPECT_EQ(h.quantile(0.02), microseconds(1));
  EXPECT_EQ(h.quantile(1), microseconds(50));
}

TEST(Histogram, IsRightWithinTwoPercentEverywhere) {
  for (std::int64_t us = 1; us < 4'000'000'000; us += us / 3 + 1) {
    Histogram h;
    h.record(microseconds(us));
    h.record(microseconds(us * 2));  // so that the maximum does not hide the bucket's end
    const auto median = std::chrono::duration_cast<microseconds>(h.quantile(0.5)).count();
    EXPECT_GE(median, us);
    EXPECT_LE(static_cast<double>(median), static_cast<double>(us) * 1.02) << us;
  }
}

TEST(Histogram, KeepsTheExactMaximumAndTakesAnyValue) {
  Histogram h;
  h.record(Duration(-5));
  h.record(std::chrono::hours(1000));
  EXPECT_EQ(h.max(), std::chrono::hours(1000));
  EXPECT_LE(h.quantile(1), h.max());
  EXPECT_EQ(h.quantile(0.1), Duration(0));
}

TEST(Histogram, MergesAsIfAllHadBeenRecordedInOne) {
  Histogram a, b, both;
  for (int us = 1; us < 5000; us += 7) {
    (us % 2 == 0 ? a : b).record(microseconds(us));
    both.record(microseconds(us));
  }
  a.merge(b);
  EXPECT_EQ(a.count(), both.count());
  for (const double q : {0.1, 0.5, 0.9, 0.99, 1.0}) EXPECT_EQ(a.quantile(q), both.quantile(q));
}

}  // namespace
}  // namespace stateway::lab
