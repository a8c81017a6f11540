#include "store/redis/reply.h"

#include <gtest/gtest.h>

namespace stateway::store::redis {
namespace {

using std::string_literals::operator""s;

Reply text(std::string value) { return {.kind = Reply::Kind::text, .text = std::move(value)}; }
Reply integer(std::int64_t value) { return {.kind = Reply::Kind::integer, .integer = value}; }
Reply array(std::vector<Reply> elements) {
  return {.kind = Reply::Kind::array, .elements = std::move(elements)};
}

std::vector<Reply> replies_of(std::string_view octets, std::size_t piece) {
  ReplyReader reader;
  std::vector<Reply> out;
  for (std::size_t at = 0; at < octets.size(); at += piece) {
    reader.feed(octets.substr(at, piece));
    for (;;) {
      auto reply = reader.next();
      EXPECT_TRUE(reply.has_value());
      if (!reply || !reply->has_value()) break;
      out.push_back(std::move(**reply));
    }
  }
  return out;
}

TEST(RedisReply, EachKindInPiecesOfAnySize) {
  const std::string octets =
      "+OK\r\n-ERR wrong\r\n:-42\r\n$-1\r\n$0\r\n\r\n$4\r\na\r\n\0\r\n*-1\r\n*0\r\n"
      "*3\r\n:1\r\n*2\r\n$1\r\nx\r\n-NO way\r\n$-1\r\n:7\r\n"s;
  const std::vector<Reply> expected = {
      {.kind = Reply::Kind::status, .text = "OK"},
      {.kind = Reply::Kind::error, .text = "ERR wrong"},
      integer(-42),
      {},
      text(""),
      text("a\r\n\0"s),
      {},
      array({}),
      array({integer(1), array({text("x"), {.kind = Reply::Kind::error, .text = "NO way"}}), {}}),
      integer(7),
  };
  for (const std::size_t piece : {1u, 2u, 3u, 7u, 1000u})
    EXPECT_EQ(replies_of(octets, piece), expected) << piece;
}

TEST(RedisReply, ALargeTextIsPutTogether) {
  std::string large(1u << 20, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31 >> 3);
  const std::string octets = "$" + std::to_string(large.size()) + "\r\n" + large + "\r\n";
  EXPECT_TRUE(replies_of(octets, 16384) == std::vector{text(large)});
}

TEST(RedisReply, WhatIsNoReplyIsAnErrorFromThenOn) {
  std::string deep;
  for (int i = 0; i < 20; ++i) deep += "*1\r\n";
  for (const std::string& octets :
       {"HTTP/1.1 400 Bad Request\r\n"s, "$x\r\n"s, ":\r\n"s, "*2000000\r\n"s, "*2\r\n$-7\r\n"s, deep}) {
    ReplyReader reader;
    reader.feed(octets);
    ASSERT_FALSE(reader.next().has_value()) << octets;
    reader.feed("+OK\r\n");
    const auto later = reader.next();
    ASSERT_FALSE(later.has_value()) << octets;
    EXPECT_EQ(later.error().code, Code::io);
  }
}

TEST(RedisReply, AReplyHasABoundedNumberOfElements) {
  const auto halves = [](std::size_t spare) {  // of all there may be, beside the two
    const std::size_t half = ReplyReader::kElementsMax / 2 - 1 + spare;
    std::string elements = "*" + std::to_string(half) + "\r\n";
    for (std::size_t i = 0; i < half; ++i) elements += ":1\r\n";
    return "*2\r\n" + elements + elements;
  };
  ReplyReader reader;
  for (int round = 0; round < 2; ++round) {  // the bound is that of each
    reader.feed(halves(0));
    const auto reply = reader.next();
    ASSERT_TRUE(reply.has_value() && reply->has_value());
  }
  reader.feed(halves(1));
  EXPECT_FALSE(reader.next().has_value());
}

TEST(RedisReply, TheFirstWordOfAnErrorSaysWhichItIs) {
  const Reply error{.kind = Reply::Kind::error, .text = "NOSCRIPT No matching script."};
  EXPECT_TRUE(error.is_error("NOSCRIPT"));
  EXPECT_FALSE(error.is_error("NOSCRIP"));
  EXPECT_FALSE(error.is_error("ERR"));
  EXPECT_TRUE((Reply{.kind = Reply::Kind::error, .text = "ASK"}).is_error("ASK"));
  EXPECT_FALSE(text("ERR").is_error());
}

TEST(RedisReply, CommandsAreArraysOfTheirWords) {
  EXPECT_EQ(format_command({"PING"}), "*1\r\n$4\r\nPING\r\n");
  EXPECT_EQ(format_command({"SET", "a\0b"s, ""}), "*3\r\n$3\r\nSET\r\n$3\r\na\0b\r\n$0\r\n\r\n"s);
}

}  // namespace
}  // namespace stateway::store::redis
