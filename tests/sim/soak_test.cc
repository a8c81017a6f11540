// A few seeds of the soak, and proof that it can fail. `make sim` runs many more.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "plan.h"
#include "world.h"

namespace stateway::sim {
namespace {

std::string text_of(const Outcome& outcome) {
  std::string out = outcome.plan;
  for (const std::string& violation : outcome.violations) out += "\n  VIOLATION " + violation;
  return out;
}

TEST(Soak, SeedsHold) {
  std::uint64_t acknowledged = 0;
  std::map<std::string, std::uint64_t> tally;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Outcome outcome = run_seed(seed);
    EXPECT_TRUE(outcome.violations.empty()) << text_of(outcome);
    EXPECT_GE(outcome.exchanges, kExchangesMin) << "seed " << seed;
    acknowledged += outcome.acknowledged;
    for (const auto& [what, times] : outcome.tally) tally[what] += times;
  }
  EXPECT_GT(acknowledged, 100 * kExchangesMin / 2);  // or the faults left nothing to be checked
  for (const char* moved : {"into cookies", "into the store", "outgrew their cookies"})
    EXPECT_GT(tally[fmt::format("sessions: {}", moved)], 0u) << moved;
}

TEST(Soak, ASeedIsOneRunAndAnotherSeedAnother) {
  std::set<std::uint64_t> digests;
  for (std::uint64_t seed = 500; seed < 520; ++seed) {
    const std::uint64_t digest = run_seed(seed).digest;
    EXPECT_EQ(run_seed(seed).digest, digest) << "seed " << seed;
    EXPECT_TRUE(digests.insert(digest).second) << "seed " << seed;
  }
}

class Planted : public testing::TestWithParam<Bug> {};

TEST_P(Planted, IsFoundWithinAThousandSeeds) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed)
    if (!run_seed(seed, GetParam()).violations.empty()) return;
  FAIL() << bug_name(GetParam()) << " was not found";
}

INSTANTIATE_TEST_SUITE_P(Soak, Planted, testing::ValuesIn(kBugs),
                         [](const auto& info) { return std::string(bug_name(info.param)); });

}  // namespace
}  // namespace stateway::sim
