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

TEST(HotTable, KnowsWhatTheDatabaseHasNoRecordOf) {
  HotTable table(1u << 20);
  EXPECT_FALSE(table.find("a").absent);
  table.offer("a", nullptr, table.find("a").sequence);
  EXPECT_TRUE(table.find("a").absent);
  EXPECT_TRUE(table.peek("a").absent);
  EXPECT_FALSE(table.find("a").stored);
  EXPECT_FALSE(table.find("b").absent);
  EXPECT_GT(table.bytes(), 0u);
  EXPECT_EQ(table.touch("a", 2000, 10), HotTable::Touch::refused);
  table.publish("a", stored(1));
  EXPECT_FALSE(table.find("a").absent);
  EXPECT_EQ(revision_of(table, "a"), 1u);
  EXPECT_EQ(table.find("a").expires_at, 1000);
  table.publish("a", nullptr);
  EXPECT_FALSE(table.find("a").absent) << "the next reader says so";
  EXPECT_EQ(table.bytes(), 0u);
  table.offer("a", nullptr, table.find("a").sequence);
  table.publish("a", nullptr);
  EXPECT_FALSE(table.find("a").absent);
  EXPECT_EQ(table.bytes(), 0u);
}

TEST(HotTable, AnAbsenceThatMayBeOutdatedHidesNothing) {
  HotTable table(1u << 20);
  const auto before = table.find("a").sequence;
  table.publish("a", stored(1));
  table.offer("a", nullptr, before);
  EXPECT_EQ(revision_of(table, "a"), 1u);
  table.offer("a", nullptr, table.find("a").sequence);  // no reader can have found that; a record wins
  EXPECT_EQ(revision_of(table, "a"), 1u);

  // The record came and was evicted, or was too large to keep, while the reader read: nothing here says so.
  const auto meanwhile = table.find("b").sequence;
  table.publish("b", stored(1, 1000, 1u << 20));
  table.offer("b", nullptr, meanwhile);
  EXPECT_FALSE(table.find("b").absent);

  // Two readers around the database's write, before its publication: the record wins in either order.
  const auto same = table.find("c").sequence;
  table.offer("c", nullptr, same);
  table.offer("c", stored(7), same);
  EXPECT_EQ(revision_of(table, "c"), 7u);
  table.offer("c", nullptr, same);
  EXPECT_EQ(revision_of(table, "c"), 7u);
}

TEST(HotTable, ARecordTooLargeToKeepLeavesNoAbsenceBehind) {
  HotTable table(1u << 20);
  table.offer("a", nullptr, table.find("a").sequence);
  table.publish("a", stored(1, 1000, 1u << 20));
  EXPECT_FALSE(table.find("a").absent);
  EXPECT_EQ(table.bytes(), 0u);
  HotTable none(0);
  none.offer("a", nullptr, none.find("a").sequence);
  EXPECT_FALSE(none.find("a").absent);
}

TEST(HotTable, AbsencesDisplaceAbsencesAndAnEighthOfTheRecordsAtMost) {
  constexpr std::size_t kBytes = 1u << 20;
  HotTable table(kBytes);
  const auto ask = [&table](const std::string& key) { table.offer(key, nullptr, table.find(key).sequence); };
  constexpr int kRecords = 2000;
  const auto kept = [&table] {
    int count = 0;
    for (int i = 0; i < kRecords; ++i) count += table.peek("r" + std::to_string(i)).stored ? 1 : 0;
    return count;
  };
  // Alone, absences fill their eighth and no more.
  for (int i = 0; i < 20'000; ++i) ask("alone" + std::to_string(i));
  EXPECT_LE(table.bytes(), kBytes / 8);
  EXPECT_GT(table.bytes(), kBytes / 9);
  // Records displace what they have to, and are displaced by no flood, used or not.
  for (int i = 0; i < kRecords; ++i) table.publish("r" + std::to_string(i), stored(1, 1000, 200));
  const int before = kept();
  EXPECT_GT(before, kRecords * 3 / 4);
  ask("asked for by a client");
  for (int i = 0; i < 20'000; ++i) {
    ask("flood" + std::to_string(i));
    ASSERT_LE(table.bytes(), kBytes);
    ASSERT_TRUE(table.find("asked for by a client").absent) << i;
  }
  EXPECT_EQ(kept(), before);
  EXPECT_TRUE(table.find("flood19999").absent);
  EXPECT_FALSE(table.find("flood1").absent);
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

TEST(HotTable, ATouchIsForWhatHasNotEnded) {
  HotTable table(1u << 20);
  for (const State state : {State::live, State::moved, State::ended}) {
    table.publish("a", std::make_shared<const Stored>(
                           Stored{.record = {.revision = 1, .state = state, .expires_at = 1000}}));
    EXPECT_EQ(table.touch("a", 2000, 10),
              state == State::ended ? HotTable::Touch::refused : HotTable::Touch::moved);
  }
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
          table.offer("absent", nullptr, table.find("absent").sequence);
          EXPECT_FALSE(table.find("absent").stored);
        }
      }
    });
  writer.join();
  for (auto& reader : readers) reader.join();
}

}  // namespace
}  // namespace stateway::store
