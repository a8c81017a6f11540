#include "store/redis/slots.h"

#include <gtest/gtest.h>

#include <string>

namespace stateway::store::redis {
namespace {

using std::string_literals::operator""s;

TEST(Slots, AreCountedAsTheSpecificationDoes) {
  const struct {
    std::string key;
    Slot slot;
  } cases[] = {
      {"123456789", 0x31c3},  // the specification's own vector, below 16384
      {"", 0},
      {"foo", 12182},
      {"somekey", 11058},
      {"foo{hash_tag}", 2515},
      {"bar{hash_tag}", 2515},
      {"{user1000}.following", 3443},
      {"{user1000}.followers", 3443},
      {"user1000", 3443},
  };
  for (const auto& [key, slot] : cases) EXPECT_EQ(slot_of(key), slot) << key;
}

TEST(Slots, OnlyTheFirstTagThatIsNotEmptyCounts) {
  EXPECT_EQ(slot_of("foo{bar}{zap}"), slot_of("bar"));
  EXPECT_EQ(slot_of("foo{{bar}}zap"), slot_of("{bar"));
  EXPECT_EQ(slot_of("}{bar}"), slot_of("bar"));
  for (const auto& whole : {"foo{}{bar}"s, "foo{bar"s, "foo}bar"s, "foo{}"s})
    EXPECT_NE(slot_of(whole), slot_of("bar")) << whole;
  EXPECT_NE(slot_of("{a\0b}x"s), slot_of("a"));
  EXPECT_EQ(slot_of("{a\0\xff}x"s), slot_of("a\0\xff"s));
}

TEST(Slots, RedirectsAreRead) {
  const Address from{.host = "10.0.0.7", .port = 7000};
  const struct {
    std::string_view error;
    Redirect expected;
  } good[] = {
      {"MOVED 3999 127.0.0.1:6381", {.slot = 3999, .to = {.host = "127.0.0.1", .port = 6381}}},
      {"ASK 16383 ::1:6381", {.ask = true, .slot = 16383, .to = {.host = "::1", .port = 6381}}},
      {"MOVED 0 node-1.example:6379", {.slot = 0, .to = {.host = "node-1.example", .port = 6379}}},
      {"MOVED 0 :6379", {.slot = 0, .to = {.host = "10.0.0.7", .port = 6379}}},
  };
  for (const auto& [error, expected] : good) EXPECT_EQ(parse_redirect(error, from), expected) << error;
  for (const std::string_view bad :
       {"", "MOVED", "MOVED 1", "MOVED 16384 a:1", "MOVED -1 a:1", "MOVED 1 a", "MOVED 1 a:0", "MOVED 1 a:x",
        "MOVED 1 ?:6379", "MOVED 1 a:65536", "ASKING 1 a:1", "TRYAGAIN x", "ERR MOVED 1 a:1"})
    EXPECT_EQ(parse_redirect(bad, from), std::nullopt) << bad;
}

}  // namespace
}  // namespace stateway::store::redis
