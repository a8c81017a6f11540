// The language of the scripts itself: a test that cannot fail would be worth nothing.
#include "script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "match.h"

namespace stateway::scenario {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(Script, LinesThatFollowEachOtherAreOneWrite) {
  const auto steps = parse_script(
      "# what it shows\n"
      "c> GET / HTTP/1.1\n"
      "c>\n"
      "\n"
      "c> \\x00\\r\\{\\\\{ab*3}\\\n"
      "c ends at once\n"
      "repeat 2\n"
      ">u2 {any}x\n"
      "end\n"
      "u2 sees reset\n");
  ASSERT_TRUE(steps) << steps.error().context;
  ASSERT_EQ(steps->size(), 4u);
  EXPECT_EQ((*steps)[0].octets, "GET / HTTP/1.1\r\n\r\n");
  EXPECT_FALSE((*steps)[0].ends);
  EXPECT_EQ((*steps)[1].octets, std::string("\0\r{\\ababab", 10));
  EXPECT_TRUE((*steps)[1].ends);
  EXPECT_EQ((*steps)[2].times, 2u);
  ASSERT_EQ((*steps)[2].steps.size(), 1u);
  EXPECT_EQ((*steps)[2].steps[0].connection, 2u);
  EXPECT_TRUE((*steps)[2].steps[0].upstream);
  ASSERT_EQ((*steps)[2].steps[0].pieces.size(), 2u);
  EXPECT_EQ((*steps)[2].steps[0].pieces[1].text, "x\r\n");
  EXPECT_EQ((*steps)[3].line, 10);
}

TEST(Script, MistakesAreFoundWithTheirLine) {
  const std::pair<std::string_view, std::string_view> kTable[] = {
      {"", "0: nothing happens"},
      {"GET / HTTP/1.1", "1: begins with none of"},
      {"# x\nc> {any}", "2: this can only be expected"},
      {"c> {nothing}", "1: unknown between braces"},
      {"c> {x*", "1: unknown between braces"},
      {"c> \\q", "1: no such escape"},
      {"c> \\xg0", "1: no such escape"},
      {">c {hop}x", "1: stands alone"},
      {"c sleeps", "1: there are: ends"},
      {"c ends at once", "1: needs octets"},
      {"repeat x", "1: repeat how often"},
      {"repeat 2\nc ends\n", "2: a repeat without its end"},
      {"end", "1: an end without its repeat"},
      {">c0 x", "1: begins with none of"},
  };
  for (const auto& [text, why] : kTable) {
    const auto steps = parse_script(text);
    ASSERT_FALSE(steps) << text;
    EXPECT_THAT(steps.error().context, StartsWith(why)) << text;
  }
}

TEST(Script, WhatIsExpectedMustComeExactly) {
  using enum Piece::Kind;
  const Piece comma{.text = ","};
  struct Row {
    Piece piece;
    std::string_view input;
    Match found;
  };
  const Row kTable[] = {
      {{.text = "abc"}, "abcd", {.octets = 3}},
      {{.text = "abc"}, "ab", {.needs_more = true}},
      {{.text = "abc"}, "aBc", {.why = "octet 1 differs"}},
      {{.kind = any}, "xy,z", {.octets = 2}},
      {{.kind = any}, "xy", {.needs_more = true}},
      {{.kind = any}, ",", {.why = "nothing where there must be something"}},
      {{.kind = date}, "Sun, 06 Nov 1994 08:49:37 GMT\r\n", {.octets = 29}},
      {{.kind = date}, "Sun, 06 Nov 1994 08:49:37 CET\r\n", {.why = "not a date"}},
      {{.kind = date}, "Sun", {.needs_more = true}},
      {{.kind = octets, .n = 2}, "\r\n", {.octets = 2}},
      {{.kind = octets, .n = 3}, "\r\n", {.needs_more = true}},
      {{.kind = chunks, .text = "abc"}, "1\r\na\r\n2\r\nbc\r\n0\r\n", {.octets = 13}},
      {{.kind = chunks, .text = "abc"}, "1\r\na\r\n2\r\nb", {.needs_more = true}},
      {{.kind = chunks, .text = "abc"}, "4\r\nabcd\r\n", {.why = "other octets in a chunk"}},
      {{.kind = chunks, .text = "abc"}, "3\r\nabcX\r\n", {.why = "a chunk without its end"}},
      {{.kind = chunks, .text = "abc"}, "0\r\n", {.why = "not a chunk: 0\\r\\n\n      "}},
      {{.kind = hop}, "Via: 1.1 stateway\r\n", {.needs_more = true}},
      {{.kind = hop}, "Via: 1.1 stateway\r\nX: y\r\n", {.why = "no Forwarded, but X: y\\r\\n\n      "}},
  };
  for (const auto& [piece, input, wanted] : kTable) {
    const Match found = match(piece, &comma, input);
    EXPECT_EQ(found.octets, wanted.octets) << input;
    EXPECT_EQ(found.needs_more, wanted.needs_more) << input;
    EXPECT_EQ(found.why, wanted.why) << input;
  }
}

TEST(Script, AProblemIsWholeAndHasNothingElse) {
  const Piece wanted{.kind = Piece::Kind::problem, .text = "bad-host", .n = 400, .closes = true};
  const std::string body = R"({"type":"urn:stateway:problem:bad-host","title":"x","status":400,"detail":"y"})"
                           "\n";
  const auto answer = [&](std::string_view more, std::size_t length) {
    return "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\n" + std::string(more) +
           "Content-Length: " + std::to_string(length) + "\r\n\r\n" + body;
  };
  const std::string good = answer("Connection: close\r\n", body.size());
  EXPECT_EQ(match(wanted, nullptr, good).octets, good.size());
  EXPECT_TRUE(match(wanted, nullptr, good.substr(0, good.size() - 1)).needs_more);
  EXPECT_EQ(match(wanted, nullptr, answer("", body.size())).why, "no Connection: close");
  EXPECT_EQ(match(wanted, nullptr, answer("Connection: close\r\nX: y\r\n", body.size())).why,
            "an unexpected X");
  EXPECT_EQ(match(wanted, nullptr, answer("Connection: close\r\n", body.size() - 1)).why, "another problem");
  EXPECT_THAT(match(wanted, nullptr, "HTTP/1.1 200 OK\r\n\r\n").why, HasSubstr("status 200"));
}

}  // namespace
}  // namespace stateway::scenario
