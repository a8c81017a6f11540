#include "session/rebase.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

namespace stateway::session {
namespace {

using ::testing::HasSubstr;

PatchSet patches(std::string_view values) {
  return PatchSet::parse_header_values(std::span(&values, 1)).value();
}

TEST(Rebase, EqualVersionsJustApply) {
  struct Row {
    std::string_view document, patch, result;
  };
  const Row kTable[] = {
      {"{}", R"({"a":1})", R"({"a":1})"},
      {R"({"a":1})", R"({"a":null})", "{}"},
      {R"({"a":1})",
       R"({"a":2},[{"op":"test","path":"/a","value":2},{"op":"add","path":"/b","value":[]}],{"c":3})",
       R"({"a":2,"b":[],"c":3})"},
      {R"({"l":[1,2]})", R"([{"op":"remove","path":"/l/0"}])", R"({"l":[2]})"},
      {R"({"a":1})", R"([{"op":"replace","path":"","value":{"b":1}}])", R"({"b":1})"},
      {"{}", "{\"a\":\"\xc3\xa9\"}", R"({"a":"\u00e9"})"},
      {"{}", "{}", "{}"},
      {R"({"a":1})", R"([{"op":"replace","path":"","value":[]},{"op":"replace","path":"","value":{}}])",
       "{}"},
  };
  for (const Overlap rule : {Overlap::last, Overlap::refuse, Overlap::again})
    for (const auto& [document, patch, result] : kTable) {
      const auto r = rebase(patches(patch), {3, document}, {3, document}, rule, {});
      ASSERT_TRUE(r) << patch << ": " << r.error().context;
      EXPECT_EQ(r->document, result) << patch;
      EXPECT_TRUE(r->changed) << patch;
      EXPECT_FALSE(r->overlapped) << patch;
    }
}

TEST(Rebase, NoPatchesChangeNothing) {
  const auto r = rebase({}, {1, "{}"}, {2, R"({"a":1})"}, Overlap::refuse, {});
  ASSERT_TRUE(r);
  EXPECT_EQ(r->document, R"({"a":1})");
  EXPECT_FALSE(r->changed);
}

TEST(Rebase, DisjointPatchesMeetInAnyOrder) {
  const std::vector<std::string> kPatches = {R"({"a":1})", R"({"o":{"x":1}})", R"({"o":{"y":2},"b":null})",
                                             R"([{"op":"replace","path":"/c","value":3}])"};
  const std::string base = R"({"o":{"z":0},"b":1,"c":2})";
  std::vector<std::size_t> order(kPatches.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  do {
    std::string document = base;
    std::uint64_t version = 1;
    for (const std::size_t i : order) {
      const auto r = rebase(patches(kPatches[i]), {1, base}, {version, document}, Overlap::refuse, {});
      ASSERT_TRUE(r) << r.error().context;
      EXPECT_FALSE(r->overlapped);
      document = r->document;
      ++version;
    }
    EXPECT_EQ(json::parse(document).value(), json::parse(R"({"a":1,"c":3,"o":{"x":1,"y":2,"z":0}})").value());
  } while (std::ranges::next_permutation(order).found);
}

TEST(Rebase, OverlapGoesByTheRule) {
  const Seen seen{1, R"({"a":0,"l":[1]})"};
  const Latest latest{2, R"({"a":5,"l":[1]})"};
  const auto last = rebase(patches(R"({"a":1})"), seen, latest, Overlap::last, {});
  ASSERT_TRUE(last);
  EXPECT_EQ(last->document, R"({"a":1,"l":[1]})");
  EXPECT_TRUE(last->overlapped);
  for (const Overlap rule : {Overlap::refuse, Overlap::again}) {
    const auto r = rebase(patches(R"({"a":1})"), seen, latest, rule, {});
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, Code::overlap);
    EXPECT_THAT(r.error().context, HasSubstr("made for version 1, the latest is 2"));
    EXPECT_EQ(rebase(patches(R"({"b":1},{"a":1})"), seen, latest, rule, {}).error().code, Code::overlap);
    EXPECT_TRUE(rebase(patches(R"({"b":1})"), seen, latest, rule, {}));
  }
}

// What adapters send for a renewed session: nothing that others put into the old one comes along.
TEST(Rebase, AWholeDocumentTakesThePlaceOfANewerVersion) {
  constexpr std::string_view kWhole = R"([{"op":"replace","path":"","value":{"user":"ann"}}])";
  const Seen seen{1, R"({"cart":1})"};
  const Latest latest{2, R"({"cart":1,"meanwhile":2})"};
  const auto last = rebase(patches(kWhole), seen, latest, Overlap::last, {});
  ASSERT_TRUE(last) << last.error().context;
  EXPECT_EQ(last->document, R"({"user":"ann"})");
  EXPECT_TRUE(last->overlapped);
  for (const Overlap rule : {Overlap::refuse, Overlap::again}) {
    EXPECT_EQ(rebase(patches(kWhole), seen, latest, rule, {}).error().code, Code::overlap);
    EXPECT_TRUE(rebase(patches(kWhole), seen, {2, seen.document}, rule, {})) << "only the secret is another";
  }
}

TEST(Rebase, ArrayElementsByNumberNeverMeetANewerVersion) {
  const Seen seen{1, R"({"l":[1],"a":0})"};
  const Latest latest{2, R"({"l":[1],"a":1})"};  // even when that array is as it was
  for (const Overlap rule : {Overlap::last, Overlap::refuse, Overlap::again}) {
    EXPECT_EQ(
        rebase(patches(R"([{"op":"replace","path":"/l/0","value":2}])"), seen, latest, rule, {}).error().code,
        Code::overlap);
    const auto r = rebase(patches(R"([{"op":"add","path":"/l/-","value":2}])"), seen,
                          {2, R"({"l":[1,7],"a":1})"}, rule, {});
    ASSERT_TRUE(r);
    EXPECT_EQ(r->document, R"({"l":[1,7,2],"a":1})");
    EXPECT_FALSE(r->overlapped);
  }
}

TEST(Rebase, WhatOnlyTheNewerVersionBreaksIsAnOverlap) {
  const PatchSet remove = patches(R"([{"op":"remove","path":"/a"}])");
  EXPECT_EQ(rebase(remove, {1, R"({"a":1})"}, {2, "{}"}, Overlap::last, {}).error().code, Code::overlap);
  EXPECT_EQ(rebase(remove, {1, "{}"}, {2, "{}"}, Overlap::last, {}).error().code, Code::bad_patch);
  EXPECT_EQ(rebase(remove, {1, "{}"}, {1, "{}"}, Overlap::last, {}).error().code, Code::bad_patch);
  // `-` of an array that has gone.
  EXPECT_EQ(rebase(patches(R"([{"op":"add","path":"/l/-","value":1}])"), {1, R"({"l":[]})"}, {2, "{}"},
                   Overlap::refuse, {})
                .error()
                .code,
            Code::overlap);
  // A failed test stays one.
  EXPECT_EQ(rebase(patches(R"([{"op":"test","path":"/a","value":1}])"), {1, R"({"a":1})"}, {2, "{}"},
                   Overlap::last, {})
                .error()
                .code,
            Code::patch_test_failed);
}

TEST(Rebase, RefusesWhatDoesNotApply) {
  struct Row {
    std::string_view document, patch;
    Code code;
  };
  const Row kTable[] = {
      {R"({"a":1})", R"([{"op":"replace","path":"/b","value":1}])", Code::bad_patch},
      {R"({"a":1})", R"([{"op":"replace","path":"","value":[1]}])", Code::bad_patch},
      {R"({"a":1})", R"([{"op":"copy","from":"/a","path":""}])", Code::bad_patch},
      {R"({"a":1})", R"([{"op":"replace","path":"","value":[]}],{"b":1})", Code::bad_patch},
      {R"({"a":1})", R"([{"op":"test","path":"/a","value":2}])", Code::patch_test_failed},
      {R"({"a":1})", R"({"b":"0123456789012345678901234567890123456789"})", Code::document_too_large},
      {R"({"a":1})", R"({"b":"0123456789012345678901234567890123456789"},{"b":null})",
       Code::document_too_large},
  };
  for (const auto& [document, patch, code] : kTable) {
    const auto r = rebase(patches(patch), {1, document}, {1, document}, Overlap::last, {.bytes_max = 40});
    ASSERT_FALSE(r) << patch;
    EXPECT_EQ(r.error().code, code) << patch;
  }
}

TEST(Rebase, OperationsOfAllPatchesCount) {
  std::string many = "{}";
  for (int i = 1; i < 1000; ++i) many += ",{}";
  EXPECT_TRUE(rebase(patches(many), {0, "{}"}, {0, "{}"}, Overlap::last, {}));
  EXPECT_EQ(rebase(patches(many + ",{}"), {0, "{}"}, {0, "{}"}, Overlap::last, {}).error().code,
            Code::bad_patch);
}

TEST(Rebase, DamagedDocumentsAreTheStoresFault) {
  for (const std::string_view damaged : {"", "{", "{}x"}) {
    const auto r = rebase(patches("{}"), {1, damaged}, {1, damaged}, Overlap::last, {});
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, Code::internal);
    EXPECT_EQ(r.error().side, Side::store);
    EXPECT_EQ(rebase(patches("{}"), {1, damaged}, {2, "{}"}, Overlap::last, {}).error().code, Code::internal);
  }
}

}  // namespace
}  // namespace stateway::session
