// The pure rules of the gateway; what needs sockets is in tests/scenario.
#include <gtest/gtest.h>

#include <set>

#include "gateway/problem.h"
#include "gateway/retry.h"

namespace stateway::gateway {
namespace {

TEST(Problem, EveryCodeHasARowOfItsOwn) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Code::kLast); ++i) {
    const auto code = static_cast<Code>(i);
    const ProblemRow& row = problem_row(code);
    EXPECT_EQ(row.code, code);
    EXPECT_TRUE(row.status == 0 || (row.status >= 400 && row.status <= 599)) << code_name(code);
    EXPECT_FALSE(row.title.empty()) << code_name(code);
    EXPECT_TRUE(names.insert(code_name(code)).second) << code_name(code);
  }
}

TEST(Problem, NothingOfAnInstanceIsShown) {
  for (int i = 0; i <= static_cast<int>(Code::kLast); ++i) {
    const ProblemRow& row = problem_row(static_cast<Code>(i));
    if (row.status >= 500) EXPECT_FALSE(row.shows_context) << code_name(row.code);
  }
}

TEST(Retry, TheRuleAsATable) {
  using enum Progress;
  using enum RetryVerdict;
  const struct {
    const char* what;
    RetryFacts facts;
    RetryVerdict verdict;
  } rows[] = {
      {"nothing sent: unsafe goes again", {.progress = nothing_sent, .safe = false}, again},
      {"nothing sent: safe goes again", {.progress = nothing_sent, .safe = true}, again},
      {"sent, unsafe: unknown", {.progress = sent, .safe = false}, unknown},
      {"sent, unsafe, timed out: unknown", {.progress = sent, .timed_out = true}, unknown},
      {"sent, unsafe, re-execute: again", {.progress = sent, .reexecute = true}, again},
      {"sent, unsafe, re-execute, timed out: budget",
       {.progress = sent, .reexecute = true, .timed_out = true},
       again_with_permit},
      {"sent, safe: again", {.progress = sent, .safe = true}, again},
      {"sent, safe, timed out: budget",
       {.progress = sent, .safe = true, .timed_out = true},
       again_with_permit},
      {"answered with garbage: fail", {.progress = answered, .safe = true}, fail},
      {"answered with garbage, re-execute: fail", {.progress = answered, .reexecute = true}, fail},
      {"body gone, unsafe, sent: unknown",
       {.progress = sent, .reexecute = true, .body_at_hand = false},
       unknown},
      {"body gone, safe: fail", {.progress = sent, .safe = true, .body_at_hand = false}, fail},
  };
  for (const auto& row : rows) EXPECT_EQ(may_retry(row.facts), row.verdict) << row.what;
}

}  // namespace
}  // namespace stateway::gateway
