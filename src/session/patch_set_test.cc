#include "session/patch_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace stateway::session {
namespace {

using ::testing::ElementsAreArray;
using Values = std::vector<std::string_view>;

TEST(PatchSet, LinesAndCommasAreTheSame) {
  struct Row {
    Values values;
    std::vector<std::string> patches;
  };
  const Row kTable[] = {
      {{}, {}},
      {{""}, {}},
      {{R"({"a":1})"}, {R"({"a":1})"}},
      {{R"({"a":1})", R"([])"}, {R"({"a":1})", "[]"}},
      {{R"({"a":1},[],{"b":null})"}, {R"({"a":1})", "[]", R"({"b":null})"}},
      {{"\t{ \"a\" : 1 } \t,\t [ ] , {}"}, {R"({"a":1})", "[]", "{}"}},
      {{",, {},,", " , "}, {"{}"}},
      {{R"({"a":"x,y","b":["{",","]})"}, {R"({"a":"x,y","b":["{",","]})"}},
      {{R"([{"op":"remove","path":"/a"}],{"a":1})", R"({"c":2})"},
       {R"([{"op":"remove","path":"/a"}])", R"({"a":1})", R"({"c":2})"}},
      {{"{\"a\":\"\xc3\xa9\"}"}, {R"({"a":"\u00e9"})"}},
  };
  for (const auto& [values, patches] : kTable) {
    const auto set = PatchSet::parse_header_values(values);
    ASSERT_TRUE(set) << values.front() << ": " << set.error().context;
    std::vector<std::string> got;
    for (const auto& patch : set->patches()) got.push_back(json::to_ascii(patch));
    EXPECT_THAT(got, ElementsAreArray(patches));
    EXPECT_EQ(set->empty(), patches.empty());
  }
}

TEST(PatchSet, RefusesWhatIsNoPatchAndStaysAsItWas) {
  PatchSet set;
  ASSERT_TRUE(set.add_body(R"({"kept":1})"));
  const Values kBad[] = {
      {"1"},
      {"null"},
      {R"("{}")"},
      {"{"},
      {"{} {}"},
      {"{}[]"},
      {"{},x"},
      {"{};{}"},
      {R"({"a":1,"a":2})"},
      {R"({"a":1e999})"},
      {"[1]"},
      {R"([{"op":"remove"}])"},
      {R"({"ok":1})", "{}, ["},
      {"{}", "\xff"},
      {R"({"a")", R"(:1})"},
  };
  for (const Values& values : kBad) {
    const auto added = set.add_header_values(values);
    ASSERT_FALSE(added) << values.front();
    EXPECT_EQ(added.error().code, Code::bad_patch) << values.front();
    EXPECT_EQ(added.error().side, Side::upstream) << values.front();
  }
  for (const std::string_view body : {"", "1", "{},{}", "{}x", "[1]", R"({"a":01})"}) {
    const auto added = set.add_body(body);
    ASSERT_FALSE(added) << body;
    EXPECT_EQ(added.error().code, Code::bad_patch) << body;
  }
  ASSERT_EQ(set.patches().size(), 1u);
  EXPECT_EQ(json::to_ascii(set.patches()[0]), R"({"kept":1})");
}

TEST(PatchSet, HeaderBytesAreBoundedInAll) {
  const std::string half = R"({"a":")" + std::string(32 * 1024 - 8, 'x') + R"("})";
  ASSERT_EQ(half.size(), 32u * 1024);
  EXPECT_TRUE(PatchSet::parse_header_values(Values{half, half}));
  EXPECT_FALSE(PatchSet::parse_header_values(Values{half, half, " "}));
  EXPECT_TRUE(PatchSet::parse_header_values(Values{"{},{}"}, {.header_bytes_max = 5}));
  EXPECT_FALSE(PatchSet::parse_header_values(Values{"{},{} "}, {.header_bytes_max = 5}));
  PatchSet set;
  EXPECT_TRUE(set.add_body(R"({"a":")" + std::string(100'000, 'x') + R"("})"))
      << "bodies are for what is larger";
}

TEST(PatchSet, AJsonPatchMayHoldTheDeepestDocument) {
  const std::string deepest = std::string(31, '[') + std::string(31, ']');
  PatchSet set;
  EXPECT_TRUE(set.add_body(R"([{"op":"add","path":"/a","value":)" + deepest + "}]"));
  EXPECT_FALSE(set.add_body(R"([{"op":"add","path":"/a","value":[[)" + deepest + "]]}]"));
}

TEST(PatchSet, BodiesComeBeforeTheHeaderThatFollowsThem) {
  PatchSet set;
  ASSERT_TRUE(set.add_body("{\n  \"a\": 1\n}\n"));
  ASSERT_TRUE(set.add_header_values(Values{"[]"}));
  ASSERT_EQ(set.patches().size(), 2u);
  EXPECT_TRUE(set.patches()[0].is_object());
  EXPECT_TRUE(set.patches()[1].is_array());
}

}  // namespace
}  // namespace stateway::session
