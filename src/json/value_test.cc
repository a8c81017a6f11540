#include "json/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace stateway::json {
namespace {

using ::testing::HasSubstr;

std::string written(std::string_view text) {
  const Result<Document> d = parse(text);
  return d ? to_ascii(*d) : "refused: " + d.error().context;
}

TEST(Parse, KeepsWhatItAccepts) {
  const std::pair<std::string_view, std::string_view> kTable[] = {
      {"{}", "{}"},
      {" [ ] ", "[]"},
      {"\t{ \"a\" : [ 1 , true , false , null , \"x\" ] }\n", R"({"a":[1,true,false,null,"x"]})"},
      {"null", "null"},
      {R"("")", R"("")"},
      {R"({"":{"":""}})", R"({"":{"":""}})"},
      {R"({"b":1,"a":2})", R"({"b":1,"a":2})"},
      {R"("\"\\\/\b\f\n\r\t\u0000\u001f\u007f")", R"("\"\\/\b\f\n\r\t\u0000\u001f\u007f")"},
      {"\"\x7f\"", R"("\u007f")"},
      {"\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9b\x92\"", R"("\u00e9 \u20ac \ud83d\uded2")"},
      {R"("\u00e9\u20AC\ud83D\uDED2")", R"("\u00e9\u20ac\ud83d\uded2")"},
      {"{\"\xc3\xa9\\n\":1}", R"({"\u00e9\n":1})"},
      {"\"\xef\xbf\xbf\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\"", R"("\uffff\ud7ff\ue000\udbff\udfff")"},
      // numbers
      {"0", "0"},
      {"-0", "0"},
      {"-1", "-1"},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"18446744073709551615", "18446744073709551615"},
      {"1.0", "1.0"},
      {"-0.0", "-0.0"},
      {"0e0", "0.0"},
      {"0.000", "0.0"},
      {"1.50", "1.5"},
      {"1e2", "100.0"},
      {"1E+2", "100.0"},
      {"123.456e-1", "12.3456"},
      {"0.1", "0.1"},
      {"0.30000000000000004", "0.30000000000000004"},
      {"100000000000000000000000", "1e+23"},
      {"1e308", "1e+308"},
      {"9.223372036854776e18", "9.223372036854776e+18"},
      {"9223372036854776000.0", "9.223372036854776e+18"},
      {"5e-324", "5e-324"},
      {"2.2250738585072014e-308", "2.2250738585072014e-308"},
      {"1.7976931348623157e308", "1.7976931348623157e+308"},
      {"9007199254740993", "9007199254740993"},
      {"0.000000000000000000000000000001", "1e-30"},
  };
  for (const auto& [text, expected] : kTable) EXPECT_EQ(written(text), expected) << text;
}

const std::pair<std::string_view, std::string_view> kRefused[] = {
    {"", "end comes too early at byte 0"},
    {"   ", "end comes too early"},
    {"{", "end comes too early at byte 1"},
    {R"({"a")", "end comes too early"},
    {R"({"a":1,})", "not JSON at byte 7"},
    {"[1,]", "not JSON at byte 3"},
    {"[1 2]", "not JSON at byte 3"},
    {"{a:1}", "not JSON at byte 1"},
    {"{'a':1}", "not JSON"},
    {"[1]x", "something after the value at byte 3"},
    {"{} {}", "something after the value at byte 3"},
    {"[/*x*/]", "not JSON"},
    {"nul", "too early"},
    {"True", "not JSON"},
    {"NaN", "not JSON"},
    {"Infinity", "not JSON"},
    {"\"\n\"", "not JSON"},
    {"\"\\x\"", "not JSON"},
    {"\"\\u12g4\"", "not JSON"},
    {"\"abc", "too early"},
    {"\xef\xbb\xbf{}", "not JSON"},
    // names
    {R"({"a":1,"a":1})", "a name twice"},
    {R"({"a":{"b":1,"c":2,"b":3}})", "a name twice"},
    {R"({"a":1,"\u0061":2})", "a name twice"},
    {R"([{"":1,"":2}])", "a name twice"},
    // numbers
    {"01", "something after the value"},
    {"+1", "not JSON"},
    {"1.", "not JSON"},
    {".5", "not JSON"},
    {"1e", "too early"},
    {"-", "too early"},
    {"0x10", "something after the value"},
    {"18446744073709551616", "kept exactly"},
    {"-9223372036854775809", "kept exactly"},
    {"[123456789012345678901234567890]", "kept exactly"},
    {"0.1000000000000000055511151231257827", "kept exactly"},
    {"9007199254740993.0", "kept exactly"},
    {"1.00000000000000000001", "kept exactly"},
    {"0.3000000000000000444", "kept exactly"},
    {"1e400", "kept exactly"},
    {"-1e400", "kept exactly"},
    {"1e-400", "kept exactly"},
    {"4e-324", "kept exactly"},
    {"1e99999999999999999999", "kept exactly"},
    {"1e-99999999999999999999", "kept exactly"},
    // text
    {"\"\xff\"", "not JSON"},
    {"\"\xc3\"", "not JSON"},
    {"\"\xc0\xaf\"", "not JSON"},
    {"\"\xe0\x80\xaf\"", "not JSON"},
    {"\"\xed\xa0\x80\"", "not JSON"},
    {"\"\xf4\x90\x80\x80\"", "not JSON"},
    {"\"\xf8\x88\x80\x80\x80\"", "not JSON"},
    {"{\"\xff\":1}", "not JSON"},
    {R"("\ud800")", "not JSON at byte 7"},
    {R"("\ud800x")", "not JSON at byte 7"},
    {R"("\ud800\u0041")", "lone surrogate"},
    {R"("\ud800\ud800")", "lone surrogate"},
    {R"("\udc00")", "lone surrogate"},
    {R"({"\udfff":1})", "lone surrogate"},
};

TEST(Parse, RefusesWhatWouldChangeOrIsNotJson) {
  for (const auto& [text, why] : kRefused) {
    const Result<Document> d = parse(text);
    ASSERT_FALSE(d) << text;
    EXPECT_EQ(d.error().code, Code::bad_patch) << text;
    EXPECT_THAT(d.error().context, HasSubstr(why)) << text;
  }
}

TEST(Parse, BytesAndDepthAreBounded) {
  const std::string deep = std::string(32, '[') + std::string(32, ']');
  EXPECT_TRUE(parse(deep));
  EXPECT_FALSE(parse("[" + deep + "]"));
  EXPECT_TRUE(parse("[" + deep + "]", {.depth_max = 33}));
  EXPECT_FALSE(parse(std::string(100'000, '[')));
  EXPECT_FALSE(parse(std::string(100'000, '{')));
  EXPECT_TRUE(parse("[1]", {.bytes_max = 3}));
  EXPECT_FALSE(parse("[1] ", {.bytes_max = 3}));
  EXPECT_TRUE(parse("7", {.depth_max = 0}));
  EXPECT_FALSE(parse("[]", {.depth_max = 0}));
}

TEST(Parse, LongStringsWithEscapesComeWhole) {
  std::string text = "\"";
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    text += i % 7 == 0 ? "\\n" : "abc";
    expected += i % 7 == 0 ? "\\n" : "abc";
  }
  text += '"';
  EXPECT_EQ(written(text), '"' + expected + '"');
  EXPECT_EQ(written("{" + text + ":" + text + "}"), "{\"" + expected + "\":\"" + expected + "\"}");
}

TEST(ParseFront, TakesOneValueAfterTheOther) {
  std::string_view text = R"( {"a":1} , [2],3)";
  ASSERT_EQ(to_ascii(parse_front(text).value()), R"({"a":1})");
  ASSERT_EQ(text, ", [2],3");
  text.remove_prefix(1);
  ASSERT_EQ(to_ascii(parse_front(text).value()), "[2]");
  text.remove_prefix(1);
  ASSERT_EQ(to_ascii(parse_front(text).value()), "3");
  EXPECT_EQ(text, "");
  text = "[1,,]";
  EXPECT_FALSE(parse_front(text));
  EXPECT_EQ(text, "[1,,]");
}

TEST(Document, EqualityIsByValue) {
  const auto equal = [](std::string_view a, std::string_view b) {
    return parse(a).value() == parse(b).value();
  };
  const std::pair<std::string_view, std::string_view> kEqual[] = {
      {"1", "1.0"},
      {"100", "1e2"},
      {"0", "-0.0"},
      {R"({"a":1,"b":[2]})", R"({"b":[2.0],"a":1})"},
      {"18446744073709551615", "18446744073709551615"},
      {"1e19", "10000000000000000000"},
      {"-9223372036854775808", "-9223372036854775808"},
      {R"("\u0061")", R"("a")"},
  };
  for (const auto& [a, b] : kEqual) EXPECT_TRUE(equal(a, b) && equal(b, a)) << a << " " << b;
  const std::pair<std::string_view, std::string_view> kDifferent[] = {
      {"1", "2"},
      {"1", "1.5"},
      {"1", "\"1\""},
      {"0", "null"},
      {"0", "false"},
      {"[]", "{}"},
      {"[1,2]", "[2,1]"},
      {R"({"a":1})", R"({"a":1,"b":1})"},
      {R"({"a":1})", R"({"b":1})"},
      {"1e300", "18446744073709551615"},
      // 2^64 and 2^63 as doubles are not the integers next to them.
      {"1.8446744073709552e19", "18446744073709551615"},
      {"9.223372036854776e18", "9223372036854775807"},
      {"-1", "18446744073709551615"},
      {"9007199254740992.0", "9007199254740993"},
  };
  for (const auto& [a, b] : kDifferent) EXPECT_FALSE(equal(a, b) || equal(b, a)) << a << " " << b;
}

TEST(Document, CopiesAreDeepAndMovesLeaveNull) {
  Document a = parse(R"({"a":[1]})").value();
  Document b = a;
  EXPECT_TRUE(a == b);
  const Document c = std::move(a);
  EXPECT_EQ(to_ascii(a), "null");  // NOLINT(bugprone-use-after-move): documented
  EXPECT_TRUE(b == c);
  b = Document::empty_object();
  EXPECT_TRUE(b.is_object() && !b.is_array());
  EXPECT_EQ(to_ascii(b), "{}");
  EXPECT_EQ(to_ascii(c), R"({"a":[1]})");
  EXPECT_TRUE(parse("[]")->is_array());
}

}  // namespace
}  // namespace stateway::json
