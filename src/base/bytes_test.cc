#include "base/bytes.h"

#include <gtest/gtest.h>

#include "base/log.h"
#include "base/random.h"

namespace stateway {
namespace {

TEST(Base64Url, RoundTripsEveryLength) {
  SeededRandom random(1);
  for (std::size_t n = 0; n < 70; ++n) {
    std::string raw(n, '\0');
    random.fill(std::as_writable_bytes(std::span(raw)));
    const std::string text = base64url_encode(as_bytes(raw));
    EXPECT_EQ(base64url_decode(text), raw);
  }
}

TEST(Base64Url, RefusesWhatIsNotCanonical) {
  for (const char* bad : {"A", "AA==", "A+AA", "A/AA", "AB", "AAF", "A A", "AAAAA"})
    EXPECT_FALSE(base64url_decode(bad)) << bad;  // "AB" and "AAF" have spare bits set
  EXPECT_TRUE(base64url_decode("AA"));
  EXPECT_TRUE(base64url_decode("AAE"));
}

TEST(ParseDecimal, TakesDigitsOnly) {
  EXPECT_EQ(parse_decimal("0"), 0u);
  EXPECT_EQ(parse_decimal("18446744073709551615"), 18446744073709551615u);
  for (const char* bad : {"", "+1", "-1", " 1", "1 ", "0x1", "18446744073709551616", "1e3"})
    EXPECT_FALSE(parse_decimal(bad)) << bad;
}

TEST(Utf8, IsWellFormedOrNot) {
  for (const char* good : {"", "ann", "Z\xc3\xb6\xc3\xab", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf",
                           "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(is_utf8(good)) << good;
  // Latin-1, overlong, surrogates, beyond U+10FFFF, cut short, a second octet without a first.
  for (const char* bad : {"Zo\xeb", "\xc0\x80", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80",
                          "\xf4\x90\x80\x80", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "a\x80", "\xff"})
    EXPECT_FALSE(is_utf8(bad)) << bad;
}

TEST(Digest, Sha1OfAbc) { EXPECT_EQ(sha1_hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d"); }

TEST(Digest, Sha256OfAbc) {
  EXPECT_EQ(base64url_encode(as_bytes(sha256("abc"))), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
  EXPECT_TRUE(equal_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_constant_time("abc", "ab"));
}

TEST(Random, SeedsRepeatAndBelowStaysBelow) {
  SeededRandom a(7), b(7), c(8);
  EXPECT_EQ(a.u64(), b.u64());
  EXPECT_NE(a.u64(), c.u64());
  for (int i = 0; i < 1000; ++i) EXPECT_LT(a.below(3), 3u);
  SystemRandom system;
  EXPECT_NE(system.u64(), system.u64());
}

TEST(Log, OneLineWhateverTheValuesHold) {
  const log::Field fields[] = {{"path", "/a\r\n\"b\"\xff"}, {"status", 502}, {"ok", false}};
  EXPECT_EQ(log::render(log::Format::json, 1'700'000'000'123, log::Level::warn, "it broke", fields),
            R"({"time":"2023-11-14T22:13:20.123Z","level":"warn","msg":"it broke",)"
            R"("path":"/a\u000d\n\"b\"\u00ff","status":502,"ok":false})");
  EXPECT_EQ(log::render(log::Format::text, 1'700'000'000'123, log::Level::info, "up", {}),
            "2023-11-14T22:13:20.123Z info  up");
}

}  // namespace
}  // namespace stateway
