#include "stateway/patch.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "stateway/parse.h"

namespace stateway::adapter {
namespace {

json::object object(std::string_view text) { return json::parse(text).as_object(); }

TEST(Ascii, EscapesWhatHeadersCannotHold) {
  const struct {
    std::string_view text, ascii;
  } rows[] = {
      {"plain", "plain"},
      {"\x7f", "\\u007f"},
      {"é", "\\u00e9"},
      {"€", "\\u20ac"},
      {"\xf0\x9f\x9b\x92", "\\ud83d\\uded2"},
      {"\xf4\x8f\xbf\xbf", "\\udbff\\udfff"},
      {"a\xff"
       "b",
       "a\\ufffdb"},                   // no octet of UTF-8
      {"\xc0\x80", "\\ufffd\\ufffd"},  // longer than it need be
      {"\xe0\x80\x80", "\\ufffd\\ufffd\\ufffd"},
      {"\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"},  // half of a pair
      {"\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
      {"\xe2\x82", "\\ufffd\\ufffd"},  // cut off
      {"\xe2\x82x", "\\ufffd\\ufffdx"},
  };
  for (const auto& row : rows) EXPECT_EQ(ascii(row.text), row.ascii);
}

TEST(Difference, NamesWhatChangedAndNothingElse) {
  const struct {
    std::string_view before, after, patch;
  } rows[] = {
      {R"({})", R"({})", ""},
      {R"({"a":1,"b":[1,{"c":null}]})", R"({"b":[1,{"c":null}],"a":1})", ""},
      {R"({})", R"({"a":{}})", R"({"a":{}})"},
      {R"({"a":1})", R"({"a":2,"b":3})", R"({"a":2,"b":3})"},
      {R"({"a":1,"b":2})", R"({"b":2})", R"({"a":null})"},
      {R"({"a":{"b":1,"c":2}})", R"({"a":{"b":1,"c":3}})", R"({"a":{"c":3}})"},
      {R"({"a":{"b":1}})", R"({"a":{}})", R"({"a":{"b":null}})"},
      {R"({"a":[1]})", R"({"a":[1,2]})", R"({"a":[1,2]})"},
      {R"({"a":1})", R"({"a":{"b":{"c":2}}})", R"({"a":{"b":{"c":2}}})"},
      {R"({"a":{"b":1}})", R"({"a":[]})", R"({"a":[]})"},
      {R"({})", R"({"a":[null,{"b":null}]})", R"({"a":[null,{"b":null}]})"},
      {R"({"a":null})", R"({})", R"({"a":null})"},
      {R"({"a":null})", R"({"a":1})", R"({"a":1})"},
      {R"({})", R"({"é":"ü"})", R"({"\u00e9":"\u00fc"})"},
      // What a merge patch cannot say: a null is stored.
      {R"({"b":1})", R"({"a":null,"b":1})", R"([{"op":"add","path":"/a","value":null}])"},
      {R"({"a":1,"b":1})", R"({"a":null})",
       R"([{"op":"remove","path":"/b"},{"op":"add","path":"/a","value":null}])"},
      {R"({"a":{"x":1}})", R"({"a":{"x":1,"y/~":null}})", R"([{"op":"add","path":"/a/y~1~0","value":null}])"},
      {R"({})", R"({"a":{"b":null}})", R"([{"op":"add","path":"/a","value":{"b":null}}])"},
      {R"({"a":[1]})", R"({"a":{"b":null}})", R"([{"op":"add","path":"/a","value":{"b":null}}])"},
      {R"({"a":{"k":null}})", R"({"a":{"k":null},"b":1})", R"({"b":1})"},
  };
  for (const auto& row : rows) {
    const auto patch = difference(object(row.before), object(row.after));
    EXPECT_EQ(patch ? patch->text : "", row.patch) << row.before << " to " << row.after;
    if (patch) EXPECT_EQ(patch->is_steps, row.patch.starts_with('['));
  }
}

TEST(Difference, OfMoreStepsThanTheGatewayTakesIsTheWholeDocument) {
  json::object before, after;
  for (int i = 0; i < 1000; ++i) after[std::to_string(i)] = nullptr;
  EXPECT_EQ(json::parse(difference(before, after)->text).as_array().size(), 1000u);
  after["more"] = nullptr;
  const json::value steps = json::parse(difference(before, after)->text);
  ASSERT_EQ(steps.as_array().size(), 1u);
  EXPECT_EQ(steps.at(0).at("op"), "replace");
  EXPECT_EQ(steps.at(0).at("value").as_object(), after);
}

TEST(Parse, KeepsNumbersAsTheyStand) {
  // Boost 1.81 reads the first two as their neighbours.
  for (const double number : {1.4035924551316779, 3887.8724561761355, 0.1, 1e300, -2.5e-7, 5e-324})
    EXPECT_EQ(parse(json::serialize(json::value(number)))->get_double(), number);
  EXPECT_EQ(parse("[1.4035924551316779,7]")->at(0).get_double(), 1.4035924551316779);
  EXPECT_EQ(parse("-9223372036854775808")->get_int64(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parse("18446744073709551615")->get_uint64(), std::numeric_limits<std::uint64_t>::max());
}

TEST(Parse, TakesJsonAndNothingElse) {
  for (const char* text : {"", "{", "{}x", "{\"a\":1,}", "[1 2]", "nul", "'a'"})
    EXPECT_FALSE(parse(text)) << text;
  const auto all = parse(R"( {"a":[true,false,null,"x\u00fcy",{}],"b":{"c":-1}} )");
  EXPECT_EQ(*all, json::parse(R"({"a":[true,false,null,"xüy",{}],"b":{"c":-1}})"));
  std::string deep(64, '[');
  EXPECT_TRUE(parse(deep + std::string(64, ']')));
  EXPECT_FALSE(parse("[" + deep + std::string(65, ']')));
}

TEST(Combined, KeepsWhatOthersChanged) {
  const struct {
    std::string_view base, mine, theirs, both;
  } rows[] = {
      {R"({})", R"({"a":1})", R"({"b":2})", R"({"a":1,"b":2})"},
      {R"({"a":1})", R"({"a":2})", R"({"a":3})", R"({"a":2})"},
      {R"({"a":1})", R"({"a":1})", R"({"a":3})", R"({"a":3})"},
      {R"({"a":1,"b":1})", R"({"b":1})", R"({"a":1,"b":2})", R"({"b":2})"},
      {R"({"i":{"x":1}})", R"({"i":{"x":1,"y":1}})", R"({"i":{"z":1}})", R"({"i":{"y":1,"z":1}})"},
      {R"({"a":1})", R"({"a":{"b":1}})", R"({})", R"({"a":{"b":1}})"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(combined(object(row.base), object(row.mine), object(row.theirs)), object(row.both)) << row.mine;
}

}  // namespace
}  // namespace stateway::adapter
