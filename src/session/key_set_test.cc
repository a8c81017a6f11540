#include "session/key_set.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stateway::session {
namespace {

constexpr WallMillis kNow = 1'700'000'000'000;
constexpr WallMillis kSecond = 1'000;
constexpr std::string_view kOctets =
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";  // 43 characters, 32 octets

std::string file(std::initializer_list<std::pair<const char*, WallMillis>> keys) {
  std::string out = "stateway-keys 1\n";
  for (const auto& [id, created] : keys)
    out += std::string(id) + " " + std::to_string(created) + " " + std::string(kOctets) + "\n";
  return out;
}

KeySet set(std::initializer_list<std::pair<const char*, WallMillis>> keys) {
  return *KeySet::parse(file(keys));
}

TEST(KeySet, ReadsWhatItWrites) {
  SystemRandom random;
  const KeySet made = KeySet::made(kNow, random);
  ASSERT_EQ(made.keys().size(), 1u);
  EXPECT_EQ(made.keys()[0].created, kNow);
  const auto read = KeySet::parse(made.text());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(*read, made);
  EXPECT_NE(KeySet::made(kNow, random), made);
  const std::string three = file({{"00000003", 5}, {"00000001", 6}, {"fffffffe", 6}});
  EXPECT_EQ(KeySet::parse(three)->text(), three);
}

TEST(KeySet, AFirstKeySealsAtOnceALaterOneAfterAMinute) {
  const KeySet first = set({{"00000001", kNow}});
  EXPECT_EQ(first.sealing(kNow).id, 1u);
  EXPECT_EQ(first.sealing(kNow - 60 * kSecond).id, 1u) << "made by a machine whose clock is ahead";
  const KeySet two = set({{"00000001", kNow - 5 * kSecond}, {"00000002", kNow}});
  EXPECT_EQ(two.sealing(kNow).id, 1u);
  EXPECT_EQ(two.sealing(kNow + 60 * kSecond - 1).id, 1u);
  EXPECT_EQ(two.sealing(kNow + 60 * kSecond).id, 2u);
  const KeySet unordered = set({{"00000002", kNow}, {"00000001", kNow - 5 * kSecond}});
  EXPECT_EQ(unordered.sealing(kNow).id, 1u) << "the order of the lines means nothing";
}

TEST(KeySet, AllOpen) {
  const KeySet keys = set({{"00000001", kNow}, {"0000000a", kNow + 1}});
  EXPECT_EQ(keys.find(1)->created, kNow);
  EXPECT_EQ(keys.find(10)->created, kNow + 1);
  EXPECT_EQ(keys.find(2), nullptr);
}

TEST(KeySet, AKeyIsRetiredOnceNothingItSealedCanBeValid) {
  const KeySet keys = set({{"00000001", 0}, {"00000002", kNow}, {"00000003", kNow + 1000 * kSecond}});
  const auto retired = [&](KeyId id, WallMillis now) {
    return keys.retired(*keys.find(id), now, std::chrono::seconds(100));
  };
  EXPECT_FALSE(retired(1, kNow + 160 * kSecond));
  EXPECT_TRUE(retired(1, kNow + 160 * kSecond + 1));
  EXPECT_FALSE(retired(2, kNow + 160 * kSecond + 1));
  EXPECT_TRUE(retired(2, kNow + 1160 * kSecond + 1));
  EXPECT_FALSE(retired(3, kNow + 1'000'000'000 * kSecond)) << "the newest never is";
}

TEST(KeySet, DamagedFilesAreRefusedWithTheirLineAndWithoutTheirKeys) {
  const std::string good = file({{"00000001", 5}});
  const auto line = [](std::string_view text) {
    return "stateway-keys 1\n00000001 5 " + std::string(kOctets) + "\n" + std::string(text);
  };
  const std::string octets(kOctets);
  struct Row {
    std::string text;
    const char* error;
  };
  const char* no_key = "line 3: this is no key: an id, a time and 32 octets are expected";
  for (const Row& row : std::initializer_list<Row>{
           {"", "line 1: the file does not begin with \"stateway-keys 1\""},
           {"stateway-keys 2\n", "line 1: the file does not begin with \"stateway-keys 1\""},
           {"stateway-keys 1\n", "line 2: there is no key"},
           {good.substr(0, good.size() - 1), "line 2: the line is cut off"},
           {line("00000001 6 " + octets + "\n"), "line 3: a key with this id stands above"},
           {line("\n"), no_key},
           {line("2 6 " + octets + "\n"), no_key},
           {line("0000000A 6 " + octets + "\n"), no_key},
           {line("00000002  6 " + octets + "\n"), no_key},
           {line("00000002 06 " + octets + "\n"), no_key},
           {line("00000002 -6 " + octets + "\n"), no_key},
           {line("00000002 9223372036854775808 " + octets + "\n"), no_key},
           {line("00000002 6 " + octets + "A\n"), no_key},
           {line("00000002 6 " + octets.substr(1) + "\n"), no_key},
           {line("00000002 6 " + octets.substr(1) + "B\n"), no_key},
           {line("00000002 6 " + octets + "\r\n"), no_key},
           {line("00000002 6 " + octets + " \n"), no_key},
       }) {
    const auto read = KeySet::parse(row.text);
    ASSERT_FALSE(read.has_value()) << row.text;
    EXPECT_EQ(read.error().context, row.error) << row.text;
  }
}

TEST(KeySet, HasAThousandKeysAtMost) {
  std::string text = "stateway-keys 1\n";
  for (std::size_t i = 0; i <= KeySet::kKeysMax; ++i) {
    if (i == KeySet::kKeysMax) EXPECT_TRUE(KeySet::parse(text).has_value());
    text += fmt::format("{:08x} 5 {}\n", i, kOctets);
  }
  EXPECT_EQ(KeySet::parse(text).error().context, "line 1002: there are more than 1000 keys");
}

}  // namespace
}  // namespace stateway::session
