#include "store/outage/entry.h"

#include <gtest/gtest.h>

#include "store/store_fixture.h"

namespace stateway::store::outage {
namespace {

Batch sample() {
  Batch batch;
  batch.id = {.gateway = 0xfedcba9876543210, .sequence = 7};
  batch.intent = std::string("how\0made", 8);
  Record record = live(3, 1'700'000'000'000, std::string("doc\0ument", 9), "ann");
  record.applied = {{.gateway = 1, .sequence = 2}, {.gateway = 3, .sequence = 4}};
  batch.writes.push_back({.key = std::string("k\0ey", 4), .expected = 2, .record = record});
  batch.writes.push_back({.key = "ended", .expected = 1, .record = in_state(State::ended, 2, 5)});
  batch.writes.push_back({.key = "erased", .expected = 9, .record = std::nullopt});
  return batch;
}

TEST(Entry, IsReadBackAsItWasWritten) {
  for (const What what : {What::intent, What::acknowledged}) {
    const auto entry = decode_entry(encode_entry(what, 1234, sample()));
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->what, what);
    EXPECT_EQ(entry->at, 1234);
    EXPECT_EQ(entry->batch.id, sample().id);
    EXPECT_EQ(entry->batch.intent, sample().intent);
    ASSERT_EQ(entry->batch.writes.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(entry->batch.writes[i].key, sample().writes[i].key);
      EXPECT_EQ(entry->batch.writes[i].expected, sample().writes[i].expected);
      EXPECT_EQ(entry->batch.writes[i].record, sample().writes[i].record);
    }
  }
  const auto done = decode_entry(encode_entry(What::done, 1234, sample()));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->what, What::done);
  EXPECT_EQ(done->batch.id, sample().id);
  EXPECT_TRUE(done->batch.writes.empty());
}

TEST(Entry, WhatIsNotWholeIsRefused) {
  for (const What what : {What::intent, What::done}) {
    const std::string whole = encode_entry(what, 1234, sample());
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
      EXPECT_FALSE(decode_entry(whole.substr(0, bytes))) << bytes;
    EXPECT_FALSE(decode_entry(whole + '\0'));
    EXPECT_FALSE(decode_entry('\2' + whole.substr(1)));                       // another version
    EXPECT_FALSE(decode_entry(whole.substr(0, 1) + '\5' + whole.substr(2)));  // another kind
  }
}

}  // namespace
}  // namespace stateway::store::outage
