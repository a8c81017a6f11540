#include "store/hot_table.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace stateway::store {
namespace {

StoredPtr stored(Revision revision, WallMillis expires_at = 1000, std::size_t value_bytes = 10) {
  return std::make_shared<const Stored>(Stored{
      .record = {.revision = revision, .expires_at = expires_at, .value = std::string(value_bytes, 'v')}});
}

Revision revision_of(HotTable& table, std::string_view key) {
  const auto found = table.find(key);
  return found.stored ? found.stored->record.revision : 0;
}

TEST(HotTable, HoldsWhatWasPublished) {
  HotTable table(1u << 20);
  EXPECT_EQ(revision_of(table, "a"), 0u);
  table.publish("a", stored(1));
  EXPECT_EQ(revision_of(table, "a"), 1u);
  table.publish("a", stored(2));
  EXPECT_EQ(revision_of(table, "a"), 2u);
  table.publish("a", nullptr);
  EXPECT_EQ(revision_of(table, "a"), 0u);
  EXPECT_EQ(table.bytes(), 0u);
}

TEST(HotTable, AReadersFindIsRefusedOnceSomethingWasPublished) {
  HotTable table(1u << 20);
  const auto before = table.find("a").sequence;
  table.publish("a", stored(2));
  table.offer("a", stored(1), before);
  EXPECT_EQ(revision_of(table, "a"), 2u);

  // Erased while the reader read: it must not come back.
  table.publish("b", stored(1));
  table.publish("b", nullptr);
  const auto erased_meanwhile = table.find("b").sequence - 1;
  table.offer("b", stored(1), erased_meanwhile);
  EXPECT_EQ(revision_of(table, "b"), 0u);

  const auto current = table.find("c").sequence;
  table.offer("c", stored(4), current);
  table.offer("c", stored(3), current);
  EXPECT_EQ(revision_of(table, "c"), 4u);
  table.offer("c", stored(5), current);
  EXPECT_EQ(revision_of(table, "c"), 5u);
}

TEST(HotTable, ATouchShowsUntilTheNextPublication) {
  HotTable table(1u << 20);
  EXPECT_EQ(table.touch("a", 2000, 10), HotTable::Touch::absent);
  table.publish("a", stored(1, 1000));
  EXPECT_EQ(table.touch("a", 1000, 10), HotTable::Touch::refused);
  EXPECT_EQ(table.touch("a", 2000, 1000), HotTable::Touch::refused);
  EXPECT_EQ(table.touch("a", 2000, 999), HotTable::Touch::moved);
  EXPECT_EQ(table.find("a").expires_at, 2000);
  EXPECT_EQ(table.find("a").stored->record.expires_at, 1000);
  table.publish("a", stored(2, 1500));
  EXPECT_EQ(table.find("a").expires_at, 1500);
}

TEST(HotTable, IsBoundedAndKeepsWhatIsUsed) {
  constexpr std::size_t kBytes = 1u << 20;
  HotTable table(kBytes);
  table.publish("favourite", stored(1));
  for (int i = 0; i < 20'000; ++i) {
    table.publish("k" + std::to_string(i), stored(1, 1000, static_cast<std::size_t>(i % 500)));
    ASSERT_LE(table.bytes(), kBytes);
    ASSERT_EQ(revision_of(table, "favourite"), 1u) << i;
  }
  EXPECT_GT(table.bytes(), kBytes / 2);
  EXPECT_EQ(revision_of(table, "k1"), 0u);
  EXPECT_EQ(revision_of(table, "k19999"), 1u);
}

TEST(HotTable, ARecordTooLargeToKeepLeavesNoOlderOneBehind) {
  HotTable table(1u << 20);
  table.publish("a", stored(1));
  table.publish("a", stored(2, 1000, 1u << 20));
  EXPECT_EQ(revision_of(table, "a"), 0u);
  HotTable none(0);
  none.publish("a", stored(1));
  EXPECT_EQ(revision_of(none, "a"), 0u);
}

TEST(HotTable, ManyThreadsSeeOnlyPublishedStates) {
  HotTable table(64u << 10);  // small: eviction all the time
  constexpr Revision kLast = 3000;
  std::thread writer([&] {
    for (Revision r = 1; r <= kLast; ++r)
      for (const char* key : {"a", "b", "c"}) table.publish(key, stored(r));
  });
  std::vector<std::thread> readers;
  for (int t = 0; t < 2; ++t)
    readers.emplace_back([&] {
      for (const char* key : {"a", "b", "c"}) {
        for (Revision seen = 0; seen < kLast;) {
          const auto found = table.find(key);
          if (!found.stored) continue;
          EXPECT_GE(found.stored->record.revision, seen);
          seen = found.stored->record.revision;
          table.touch(key, static_cast<WallMillis>(1000 + seen), 0);
          table.offer(key, stored(seen), found.sequence);
        }
      }
    });
  writer.join();
  for (auto& reader : readers) reader.join();
}

}  // namespace
}  // namespace stateway::store
