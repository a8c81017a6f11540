#include "upstream/balancer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

namespace stateway::upstream {
namespace {

std::vector<Candidate> idle(std::initializer_list<std::size_t> indices) {
  std::vector<Candidate> out;
  for (const std::size_t i : indices) out.push_back({i, 0});
  return out;
}

TEST(RoundRobin, EveryOneOfNGetsEveryNth) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SeededRandom random(seed);
    RoundRobin balancer(random);
    const auto candidates = idle({0, 1, 2, 3, 4});
    std::vector<std::size_t> order;
    for (int i = 0; i < 15; ++i) order.push_back(candidates[balancer.best(candidates)].index);
    for (std::size_t i = 1; i < order.size(); ++i) EXPECT_EQ(order[i], (order[i - 1] + 1) % 5);
  }
}

TEST(RoundRobin, LoopsBeginAtDifferentInstances) {
  std::set<std::size_t> firsts;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SeededRandom random(seed);
    RoundRobin balancer(random);
    firsts.insert(balancer.best(idle({0, 1, 2})));
  }
  EXPECT_EQ(firsts.size(), 3u);
}

TEST(RoundRobin, AnAbsentOneLosesItsTurnAndNobodyGetsTwoInARow) {
  SeededRandom random(1);
  RoundRobin balancer(random);
  std::vector<int> count(4);
  const auto without_two = idle({0, 1, 3});
  std::size_t last = 99;
  for (int i = 0; i < 30; ++i) {
    const std::size_t index = without_two[balancer.best(without_two)].index;
    EXPECT_NE(index, last);
    last = index;
    ++count[index];
  }
  EXPECT_THAT(count, testing::ElementsAre(10, 10, 0, 10));
}

TEST(PowerOfTwo, NeverTheBusiestOfDistinctLoads) {
  SeededRandom random(7);
  PowerOfTwo balancer(random);
  const std::vector<Candidate> candidates = {{0, 3}, {1, 9}, {2, 0}, {3, 5}};
  std::vector<int> count(4);
  for (int i = 0; i < 12'000; ++i) ++count[balancer.best(candidates)];
  EXPECT_EQ(count[1], 0);
  // Of six pairs the idlest wins three, the next two, the next one.
  EXPECT_NEAR(count[2], 6'000, 300);
  EXPECT_NEAR(count[0], 4'000, 300);
  EXPECT_NEAR(count[3], 2'000, 300);
}

TEST(PowerOfTwo, EqualLoadsAreSharedEvenly) {
  SeededRandom random(8);
  PowerOfTwo balancer(random);
  std::vector<int> count(3);
  for (int i = 0; i < 9'000; ++i) ++count[balancer.best(idle({0, 1, 2}))];
  for (const int n : count) EXPECT_NEAR(n, 3'000, 300);
}

TEST(PowerOfTwo, KeepsLoadsTogether) {
  SeededRandom random(9);
  PowerOfTwo balancer(random);
  std::vector<Candidate> loads = idle({0, 1, 2, 3, 4, 5, 6, 7});
  for (int i = 0; i < 8'000; ++i) ++loads[balancer.best(loads)].active;  // nothing ends: the worst case
  const auto [least, most] =
      std::ranges::minmax_element(loads, {}, [](const Candidate& c) { return c.active; });
  EXPECT_LE(most->active - least->active, 10u);
}

TEST(Balancers, AskedAgainWithoutTheLastAnswerTheyNameEachOnce) {
  for (const Balance policy : {Balance::p2c, Balance::round_robin}) {
    SeededRandom random(3);
    const auto balancer = make_balancer(policy, random);
    auto candidates = idle({0, 2, 5, 6});
    std::set<std::size_t> seen;
    while (!candidates.empty()) {
      const std::size_t best = balancer->best(candidates);
      ASSERT_LT(best, candidates.size());
      seen.insert(candidates[best].index);
      candidates.erase(candidates.begin() + static_cast<std::ptrdiff_t>(best));
    }
    EXPECT_THAT(seen, testing::ElementsAre(0u, 2u, 5u, 6u));
  }
}

}  // namespace
}  // namespace stateway::upstream
