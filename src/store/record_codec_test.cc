#include "store/record_codec.h"

#include <gtest/gtest.h>

namespace stateway::store {
namespace {

using std::string_literals::operator""s;
using std::string_view_literals::operator""sv;

const Stored kStored{.record = {.revision = 0x0102,
                                .state = State::ended,
                                .expires_at = 0x0a0b0c0d0e,
                                .principal = "p\0q"s,
                                .value = "v\xff"s},
                     .indexed_at = 0x09};
const std::string kBytes =
    "\x01\x02"s
    "\0\0\0\0\0\0\x01\x02"s
    "\0\0\0\x0a\x0b\x0c\x0d\x0e"s
    "\0\0\0\0\0\0\0\x09"s
    "\0\0\0\x03p\0q"s
    "v\xff"s;

TEST(RecordCodec, TheBytesAreTheOnesOfTheFormat) {
  EXPECT_EQ(encode_head(kStored) + kStored.record.value, kBytes);
  const auto whole = decode_record(kBytes, Part::whole);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->record, kStored.record);
  EXPECT_EQ(whole->indexed_at, kStored.indexed_at);
  const auto head = decode_record(kBytes, Part::head);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->record.principal, kStored.record.principal);
  EXPECT_EQ(head->record.value, "");
}

TEST(RecordCodec, WhatIsNotARecordIsRefused) {
  const std::size_t head_bytes = kBytes.size() - kStored.record.value.size();
  for (std::size_t n = 0; n < head_bytes; ++n)
    EXPECT_FALSE(decode_record(kBytes.substr(0, n), Part::whole)) << n;
  const auto changed = [](std::size_t at, char to) {
    std::string bytes = kBytes;
    bytes[at] = to;
    return bytes;
  };
  EXPECT_FALSE(decode_record(changed(0, 0), Part::whole));  // no version
  EXPECT_FALSE(decode_record(changed(0, 2), Part::whole));  // a newer one
  EXPECT_FALSE(decode_record(changed(1, 3), Part::whole));  // no state
  EXPECT_FALSE(decode_record(changed(1, '\xff'), Part::whole));
  EXPECT_FALSE(decode_record(changed(10, '\x80'), Part::whole));  // before 1970
  EXPECT_FALSE(decode_record(changed(26, 1), Part::whole));       // a principal longer than the record
}

TEST(RecordCodec, IndexKeysSortByTimeAndAreUnambiguous) {
  EXPECT_LT(encode_due(255, "z"), encode_due(256, "a"));
  EXPECT_LT(encode_due(256, "a"), encode_due(256, "b"));
  const auto due = decode_due(encode_due(1'700'000'000'000, "k\0"s));
  ASSERT_TRUE(due);
  EXPECT_EQ(due->at, 1'700'000'000'000);
  EXPECT_EQ(due->key, "k\0"s);
  EXPECT_FALSE(decode_due("1234567"));
  EXPECT_FALSE(encode_principal("ann\0a"s).starts_with(encode_principal("ann")));
  for (const bool ended : {false, true}) EXPECT_EQ(says_ended(encode_ended(ended)), ended);
  for (const std::string_view other : {""sv, "\2"sv, "\1\1"sv}) EXPECT_EQ(says_ended(other), std::nullopt);
  EXPECT_FALSE(encode_principal("anna").starts_with(encode_principal("ann")));
}

}  // namespace
}  // namespace stateway::store
