#include "upstream/balancer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
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

TEST(LeastRequests, TheLeastBusyOneAndTiesEvenly) {
  SeededRandom random(4);
  LeastRequests balancer(random);
  EXPECT_EQ(balancer.best(std::vector<Candidate>{{0, 3}, {1, 1}, {2, 2}}), 1u);
  std::vector<int> count(4);
  const std::vector<Candidate> tied = {{0, 1}, {1, 5}, {2, 1}, {3, 1}};
  for (int i = 0; i < 9'000; ++i) ++count[balancer.best(tied)];
  EXPECT_EQ(count[1], 0);
  for (const std::size_t i : {0u, 2u, 3u}) EXPECT_NEAR(count[i], 3'000, 300);
}

std::vector<Candidate> named(std::initializer_list<std::size_t> indices) {
  std::vector<Candidate> out;
  for (const std::size_t i : indices)
    out.push_back({i, 0, stable_hash("10.0.0." + std::to_string(i) + ":80")});
  return out;
}

std::size_t owner(const std::vector<Candidate>& candidates, int key) {
  return candidates[by_key(candidates, stable_hash("key-" + std::to_string(key)))].index;
}

TEST(ByKey, HashesAreTheSameInEveryRun) {
  EXPECT_EQ(stable_hash(""), 0xc3817c016ba4ff30ULL);
  EXPECT_EQ(stable_hash("shop-1"), 0xbc13495088d8c7f2ULL);
  EXPECT_EQ(mixed(1, 2), 0xf893a2eefb32555eULL);
}

TEST(ByKey, SharesAreEven) {
  const auto candidates = named({1, 2, 3, 4, 5});
  std::vector<int> count(6);
  for (int key = 0; key < 10'000; ++key) ++count[owner(candidates, key)];
  for (std::size_t i = 1; i <= 5; ++i) EXPECT_NEAR(count[i], 2'000, 200);
}

// Whoever leaves gives its keys away, and whoever comes takes its share: no other key moves.
TEST(ByKey, OnlyTheShareOfWhoeverComesOrGoesMoves) {
  const auto all = named({1, 2, 3, 4, 5});
  for (std::size_t gone = 1; gone <= 5; ++gone) {
    auto rest = all;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(gone) - 1);
    std::vector<int> heirs(6);
    for (int key = 0; key < 5'000; ++key) {
      const std::size_t before = owner(all, key);
      const std::size_t after = owner(rest, key);
      if (before == gone)
        ++heirs[after];
      else
        ASSERT_EQ(before, after);
    }
    for (std::size_t i = 1; i <= 5; ++i)
      if (i != gone) EXPECT_NEAR(heirs[i], 250, 75) << "what " << gone << " leaves is spread";
  }
}

TEST(ByKey, TheOrderOfTheListDoesNotMatter) {
  const auto candidates = named({1, 2, 3, 4});
  const auto reversed = named({4, 3, 2, 1});
  for (int key = 0; key < 1'000; ++key) EXPECT_EQ(owner(candidates, key), owner(reversed, key));
}

// One key, and nothing ends: the worst case.
TEST(ByKey, NobodyGetsMuchMoreThanTheMean) {
  for (const std::size_t n : {1u, 2u, 3u, 7u}) {
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i < n; ++i) candidates.push_back({i, 0, stable_hash(std::to_string(i))});
    for (int request = 1; request <= 500; ++request) {
      ++candidates[by_key(candidates, 42)].active;
      const unsigned most = std::ranges::max(candidates, {}, &Candidate::active).active;
      const double mean = static_cast<double>(request) / static_cast<double>(n);
      ASSERT_LE(most, std::max<double>(kKeyedLoadFree, std::ceil(kKeyedLoadMax * mean)))
          << n << " " << request;
    }
  }
}

TEST(ByKey, AFewRequestsOfOneKeyStayTogether) {
  auto candidates = named({1, 2, 3});
  const std::size_t first = by_key(candidates, 42);
  for (unsigned i = 0; i < kKeyedLoadFree; ++i) {
    EXPECT_EQ(by_key(candidates, 42), first);
    ++candidates[first].active;
  }
  EXPECT_NE(by_key(candidates, 42), first);
}

TEST(Balancers, AskedAgainWithoutTheLastAnswerTheyNameEachOnce) {
  for (const Balance policy : {Balance::p2c, Balance::round_robin, Balance::least_requests, Balance::hash}) {
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
