#include "http/problem.h"

#include <gtest/gtest.h>

namespace stateway::http {
namespace {

using std::literals::operator""s;

TEST(Problem, Renders) {
  EXPECT_EQ(problem_json({.code = "lane-full",
                          .title = "Too many at once",
                          .status = 503,
                          .detail = "a \"b\"",
                          .instance = "r-1"}),
            R"({"type":"urn:stateway:problem:lane-full","title":"Too many at once","status":503,)"
            R"("detail":"a \"b\"","instance":"r-1"})"
            "\n");
  EXPECT_EQ(problem_json({.code = "bad-host", .title = "", .status = 400, .detail = "", .instance = ""}),
            R"({"type":"urn:stateway:problem:bad-host","title":"Bad Request","status":400})"
            "\n");
}

TEST(Problem, JsonStrings) {
  const std::pair<std::string, std::string_view> table[] = {
      {"", R"("")"},
      {"a/b", R"("a/b")"},
      {"\"\\\n\r\t", R"("\"\\\n\r\t")"},
      {"\0\x1f\x7f"s, R"("\u0000\u001f\u007f")"},
      {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""},
      {"\xff", R"("\ufffd")"},
      {"a\xc3", R"("a\ufffd")"},
      {"\xc0\xaf", R"("\ufffd\ufffd")"},                      // overlong
      {"\xed\xa0\x80", R"("\ufffd\ufffd\ufffd")"},            // a surrogate
      {"\xf4\x90\x80\x80", R"("\ufffd\ufffd\ufffd\ufffd")"},  // beyond U+10FFFF
      {"\xe2\x82\"", R"("\ufffd\ufffd\"")"},
  };
  for (const auto& [text, json] : table) {
    std::string out;
    append_json_string(out, text);
    EXPECT_EQ(out, json);
  }
}

TEST(Problem, ReasonPhrases) {
  EXPECT_EQ(reason_phrase(431), "Request Header Fields Too Large");
  EXPECT_EQ(reason_phrase(499), "Client Error");
  EXPECT_EQ(reason_phrase(999), "Unknown");
}

}  // namespace
}  // namespace stateway::http
