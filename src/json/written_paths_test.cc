#include "json/written_paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stateway::json {
namespace {

using ::testing::ElementsAreArray;

Document doc(std::string_view text) { return parse(text).value(); }

TEST(WrittenPaths, OfEachKind) {
  struct Row {
    std::string_view patch;
    std::vector<std::string> paths;  // with a trailing '+': appends
  };
  const Row kTable[] = {
      {"{}", {}},
      {R"({"a":1,"b":null,"c":[1,{"x":1}]})", {"/a", "/b", "/c"}},
      {R"({"a":{"b":{"c":1,"d":null}},"e":{}})", {"/a/b/c", "/a/b/d", "/e"}},
      {R"({"a/b":{"~":1},"":2})", {"/a~1b/~0", "/"}},
      {"[]", {}},
      {R"([{"op":"test","path":"/a","value":1}])", {}},
      {R"([{"op":"add","path":"/a","value":{"b":1}},{"op":"replace","path":"/c/0","value":1},)"
       R"({"op":"remove","path":"/d"}])",
       {"/a", "/c/0", "/d"}},
      {R"([{"op":"move","from":"/a","path":"/b"},{"op":"copy","from":"/c","path":"/d/-"}])",
       {"/a", "/b", "/d/-+"}},
      {R"([{"op":"add","path":"/a/-","value":1},{"op":"replace","path":"/a/-","value":1}])",
       {"/a/-+", "/a/-"}},
      {R"([{"op":"add","path":"","value":{}}])", {""}},
  };
  for (const auto& [patch, paths] : kTable) {
    std::vector<std::string> got;
    for (const auto& path : written_paths(doc(patch)))
      got.push_back(path.pointer + (path.appends ? "+" : ""));
    EXPECT_THAT(got, ElementsAreArray(paths)) << patch;
  }
}

TEST(Overlaps, WhenTheValueAtAWrittenPathChanged) {
  struct Row {
    std::string_view patch, base, latest;
    bool expected;
  };
  const Row kTable[] = {
      {R"({"a":1})", R"({"a":0})", R"({"a":0,"b":1})", false},
      {R"({"a":1})", R"({"a":0})", R"({"a":2})", true},
      {R"({"a":1})", R"({"a":0})", R"({"a":1})", true},  // the same wish twice is still two writers
      {R"({"a":1})", R"({"a":0})", R"({"a":0.0})", false},
      {R"({"a":1})", R"({})", R"({"a":1})", true},
      {R"({"a":null})", R"({"a":1})", R"({})", true},
      {R"({"a":null})", R"({})", R"({})", false},
      {R"({"a":null})", R"({})", R"({"a":null})", true},  // null is not nothing
      {R"({"a":{"b":1}})", R"({"a":{"b":0}})", R"({"a":{"b":0,"c":1}})", false},
      {R"({"a":{"b":1}})", R"({"a":{"b":0}})", R"({"a":{"b":2}})", true},
      {R"({"a":{"b":1}})", R"({"a":{"c":0}})", R"({"a":{"c":1}})", false},
      {R"({"a":{"b":1}})", R"({"a":5})", R"({})", false},  // nothing at the path either way
      {R"({"a":{}})", R"({"a":1})", R"({"a":2})", true},
      {R"({"a":[1]})", R"({"a":{"x":1}})", R"({"a":{"x":2}})", true},  // below it
      {R"([{"op":"add","path":"/l/-","value":1}])", R"({"l":[]})", R"({"l":[1,2]})", false},
      {R"([{"op":"add","path":"/l/-","value":1}])", R"({"l":{"-":1}})", R"({"l":{"-":2}})", true},
      {R"([{"op":"add","path":"/l","value":1}])", R"({"l":[]})", R"({"l":[1,2]})", true},
      {R"([{"op":"test","path":"/a","value":1}])", R"({"a":1})", R"({"a":2})", false},
      {R"([{"op":"copy","from":"/a","path":"/b"}])", R"({"a":1})", R"({"a":2})", false},
      {R"([{"op":"move","from":"/a","path":"/b"}])", R"({"a":1})", R"({"a":2})", true},
      {R"([{"op":"move","from":"/a","path":"/b"}])", R"({"a":1})", R"({"a":1,"b":1})", true},
      {R"([{"op":"add","path":"","value":{}}])", R"({"a":1})", R"({"a":1,"b":1})", true},
      {R"([{"op":"remove","path":"/a~1b"}])", R"({"a/b":1})", R"({"a/b":2})", true},
      {"[]", R"({"a":1})", R"({"a":2})", false},
  };
  for (const auto& [patch, base, latest, expected] : kTable)
    EXPECT_EQ(overlaps(doc(patch), doc(base), doc(latest)), expected)
        << patch << " " << base << " " << latest;
}

TEST(NamesArrayElementByNumber, OnlyInArraysOfTheBase) {
  struct Row {
    std::string_view patch;
    bool expected;
  };
  const Document base = doc(R"({"l":[{"q":1},{"q":2}],"o":{"0":[1]},"m":{"deep":[[0]]}})");
  const Row kTable[] = {
      {R"({"l":{"0":1}})", false},
      {R"([{"op":"add","path":"/l/-","value":1}])", false},
      {R"([{"op":"add","path":"/l/0","value":1}])", true},
      {R"([{"op":"add","path":"/l/2","value":1}])", true},
      {R"([{"op":"replace","path":"/l/1/q","value":1}])", true},
      {R"([{"op":"remove","path":"/l"}])", false},
      {R"([{"op":"remove","path":"/o/0"}])", false},
      {R"([{"op":"remove","path":"/o/0/0"}])", true},
      {R"([{"op":"test","path":"/l/0/q","value":1}])", true},
      {R"([{"op":"copy","from":"/l/0","path":"/x"}])", true},
      {R"([{"op":"move","from":"/l/0","path":"/x"}])", true},
      {R"([{"op":"add","path":"/new","value":[]},{"op":"add","path":"/new/0","value":1}])", false},
      {R"([{"op":"move","from":"/l","path":"/k"},{"op":"remove","path":"/k/0"}])", true},
      {R"([{"op":"move","from":"/m","path":"/k"},{"op":"remove","path":"/k/deep/0"}])", true},
      {R"([{"op":"move","from":"/m","path":"/k"},{"op":"add","path":"/k/deep/-","value":1}])", false},
      {R"([{"op":"add","path":"/a","value":1},{"op":"remove","path":"/l/1"}])", true},
  };
  for (const auto& [patch, expected] : kTable)
    EXPECT_EQ(names_array_element_by_number(doc(patch), base), expected) << patch;
}

}  // namespace
}  // namespace stateway::json
