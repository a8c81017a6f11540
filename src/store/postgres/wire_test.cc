#include "store/postgres/wire.h"

#include <gtest/gtest.h>

namespace stateway::store::postgres {
namespace {

using std::string_literals::operator""s;

TEST(Values, AreInTheirBinaryFormat) {
  Values values;
  values.octets("\0x"s).number(-2).small(258).tiny(3);
  EXPECT_EQ(values.encoded(),
            (std::vector{"\0x"s, "\xff\xff\xff\xff\xff\xff\xff\xfe"s, "\0\0\1\2"s, "\0\3"s}));
  EXPECT_EQ(values.bytes(), 2u + 8 + 4 + 2);
}

TEST(Values, ArraysHaveAHeadAndLengths) {
  const std::int64_t numbers[] = {1, -1};
  const std::int16_t tiny[] = {2};
  const std::string_view texts[] = {"ab", ""};
  Values values;
  values.numbers(numbers).tiny(tiny).octets(texts).numbers(std::span<const std::int64_t>());
  EXPECT_EQ(values.encoded()[0],
            "\0\0\0\1"
            "\0\0\0\0"
            "\0\0\0\x14"
            "\0\0\0\2"
            "\0\0\0\1"
            "\0\0\0\x08\0\0\0\0\0\0\0\1"
            "\0\0\0\x08\xff\xff\xff\xff\xff\xff\xff\xff"s);
  EXPECT_EQ(values.encoded()[1],
            "\0\0\0\1"
            "\0\0\0\0"
            "\0\0\0\x15"
            "\0\0\0\1"
            "\0\0\0\1"
            "\0\0\0\2\0\2"s);
  EXPECT_EQ(values.encoded()[2],
            "\0\0\0\1"
            "\0\0\0\0"
            "\0\0\0\x11"
            "\0\0\0\2"
            "\0\0\0\1"
            "\0\0\0\2ab"
            "\0\0\0\0"s);
  EXPECT_EQ(values.encoded()[3],
            "\0\0\0\0"
            "\0\0\0\0"
            "\0\0\0\x14"s);
}

TEST(Refusal, OfConnections) {
  const struct {
    std::string message, state, told;
  } kTable[] = {
      {"connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  28P01: password authentication "
       "failed "
       "for user \"ann\"\nLOCATION:  auth_failed, auth.c:326\n",
       "28P01", "password authentication failed for user \"ann\""},
      {"connection to server at \"::1\", port 1 failed: Connection refused\n\tIs the server running?\n", "",
       "Connection refused"},
      {"connection to server at \"h\", port 1 failed: SSL error: x\nconnection to server at \"h\", port 1 "
       "failed: FATAL:  57P03: the database system is starting up\n",
       "57P03", "the database system is starting up"},
      {"connection to server at \"h\" (10.0.0.1), port 1 failed: session is read-only\n", "",
       "session is read-only"},
      {"server closed the connection unexpectedly\n\tThis probably means", "",
       "server closed the connection unexpectedly"},
      {"", "", "the connection broke"},
  };
  for (const auto& row : kTable) {
    const Refusal refusal = refusal_of(row.message);
    EXPECT_EQ(refusal.state, row.state);
    EXPECT_EQ(refusal.message, row.told);
  }
}

}  // namespace
}  // namespace stateway::store::postgres
