#include "store/outage/breaker.h"

#include <gtest/gtest.h>

namespace stateway::store::outage {
namespace {

constexpr TimePoint at(Duration d) { return TimePoint(d); }
constexpr WallMillis kWall = 1'700'000'000'000;

TEST(Breakers, OpensAfterSeveralFailuresInARow) {
  Breakers breakers;
  EXPECT_FALSE(breakers.failed(0, "a", 1ms, at(0s), kWall));
  EXPECT_FALSE(breakers.failed(0, "a", 1ms, at(0s), kWall));
  breakers.answered(0);
  EXPECT_FALSE(breakers.failed(0, "a", 1ms, at(0s), kWall));
  EXPECT_FALSE(breakers.failed(0, "a", 1ms, at(0s), kWall));
  EXPECT_FALSE(breakers.any_open());
  EXPECT_EQ(breakers.since(), 0);
  EXPECT_TRUE(breakers.failed(0, "b", 1ms, at(0s), kWall));
  EXPECT_TRUE(breakers.open(0));
  EXPECT_EQ(breakers.since(), kWall);
  EXPECT_FALSE(breakers.failed(0, "c", 1ms, at(0s), kWall + 5));
  EXPECT_EQ(breakers.since(), kWall);
  ASSERT_EQ(breakers.probes().size(), 1u);
  EXPECT_EQ(breakers.probes()[0].key, "c");
}

TEST(Breakers, OpensAfterOneSlowFailure) {
  Breakers breakers;
  EXPECT_FALSE(breakers.failed(0, "a", Breakers::kSlow - 1ms, at(0s), kWall));
  EXPECT_TRUE(breakers.failed(0, "a", Breakers::kSlow, at(0s), kWall));
}

TEST(Breakers, TheOtherServersAreAsked) {
  Breakers breakers;
  EXPECT_TRUE(breakers.failed(7, "a", 1s, at(0s), kWall));
  EXPECT_TRUE(breakers.open(7));
  EXPECT_FALSE(breakers.open(0));
  EXPECT_TRUE(breakers.any_open());
}

TEST(Breakers, ClosesAfterProbesInARow) {
  Breakers breakers;
  ASSERT_TRUE(breakers.failed(0, "a", 1s, at(0s), kWall));
  EXPECT_FALSE(breakers.probed(0, true, at(1s)));
  EXPECT_FALSE(breakers.probed(0, false, at(1s)));
  EXPECT_FALSE(breakers.probed(0, true, at(1s)));
  EXPECT_TRUE(breakers.open(0));
  breakers.answered(0);  // an answer from before the outage
  EXPECT_TRUE(breakers.open(0));
  EXPECT_TRUE(breakers.probed(0, true, at(1s)));
  EXPECT_FALSE(breakers.open(0));
  EXPECT_TRUE(breakers.probes().empty());
}

unsigned probes_to_close(Breakers& breakers, TimePoint now) {
  unsigned probes = 1;
  while (!breakers.probed(0, true, now)) ++probes;
  return probes;
}

TEST(Breakers, OneThatOpensAgainSoonNeedsMoreProbes) {
  Breakers breakers;
  TimePoint now = at(100s);
  for (const unsigned expected : {2u, 4u, 8u, 16u, 32u, 32u}) {
    ASSERT_TRUE(breakers.failed(0, "a", 1s, now, kWall));
    EXPECT_EQ(probes_to_close(breakers, now), expected);
    now += Breakers::kStable - 1ms;
  }
  now += 1ms;
  ASSERT_TRUE(breakers.failed(0, "a", 1s, now, kWall));
  EXPECT_EQ(probes_to_close(breakers, now), 2u);
}

}  // namespace
}  // namespace stateway::store::outage
