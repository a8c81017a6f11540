#include "session/record.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace stateway::session {
namespace {

SessionRecord example() {
  return {.kind = "shop",
          .created = 0x0102030405060708,
          .absolute_expires = 0x1112131415161718,
          .secret_hash = std::string(32, 'h'),
          .document = R"({"a":1})"};
}

TEST(SessionRecord, HasTheDocumentedBytes) {
  const std::string expected =
      std::string("\x01\x01\x02\x03\x04\x05\x06\x07\x08\x11\x12\x13\x14\x15\x16\x17\x18", 17) +
      std::string(32, 'h') + std::string("\0\x04\0\0\0\x07", 6) + "shop" + R"({"a":1})";
  EXPECT_EQ(encode_record(example()), expected);
}

TEST(SessionRecord, ReadsBack) {
  SessionRecord record = example();
  EXPECT_EQ(decode_record(encode_record(record)).value(), record);
  record = {
      .kind = "", .created = 0, .absolute_expires = 0, .secret_hash = std::string(32, '\0'), .document = ""};
  EXPECT_EQ(decode_record(encode_record(record)).value(), record);
  record.kind.assign(255, 'k');
  record.document.assign(1'000'000, 'd');
  EXPECT_EQ(decode_record(encode_record(record)).value(), record);
}

TEST(Principal, IsBoundedUtf8) {
  for (const std::string& good :
       {std::string(), std::string("Zo\xc3\xab"), std::string(kPrincipalBytesMax, 'a')})
    EXPECT_TRUE(is_principal(good)) << good;
  for (const std::string& bad : {std::string("Zo\xeb"), std::string(kPrincipalBytesMax + 1, 'a')})
    EXPECT_FALSE(is_principal(bad)) << bad;
}

TEST(SessionRecord, DamageIsNoticed) {
  const std::string good = encode_record(example());
  const auto refused = [](std::string_view value) {
    const auto r = decode_record(value);
    return !r && r.error().code == Code::internal && r.error().side == Side::store;
  };
  for (std::size_t n = 0; n < good.size(); ++n)
    EXPECT_TRUE(refused(std::string_view(good).substr(0, n))) << n;
  EXPECT_TRUE(refused(good + "x"));
  for (const std::size_t at : {0, 1, 9, 49, 50, 53}) {  // version, signs, lengths
    std::string bad = good;
    bad[at] = static_cast<char>(0x80 | (bad[at] + 1));
    EXPECT_TRUE(refused(bad)) << at;
  }
}

}  // namespace
}  // namespace stateway::session
