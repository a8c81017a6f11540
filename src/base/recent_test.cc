#include "base/recent.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace stateway {
namespace {

using Texts = Recent<std::string>;

constexpr TimePoint at(int seconds) { return TimePoint(std::chrono::seconds(seconds)); }
constexpr std::size_t kOne =
    Texts::kBookkeepingBytes + sizeof(std::string) + 4 + 100;  // id and value of `put`
constexpr std::size_t kPlenty = 1 << 20;

void put(Texts& texts, std::string_view id, std::string value, int until = 1000, int now = 0) {
  texts.keep(id, std::move(value), {.bytes = 100, .until = at(until)}, at(now));
}

// Ids of four octets that share a shard with the first of them.
std::vector<std::string> ids_of_one_shard(std::size_t count) {
  std::vector<std::string> ids;
  for (int i = 1000; ids.size() < count; ++i) {
    Texts probe(2 * kOne * Texts::kShards - 1);  // a shard has room for one
    put(probe, "1000", "a");
    const std::string id = std::to_string(i);
    put(probe, id, "b");
    if (id == "1000" || !probe.find("1000", at(0))) ids.push_back(id);
  }
  return ids;
}

TEST(Recent, KeepsUntilTheTimeIsOver) {
  Texts texts(kPlenty);
  EXPECT_EQ(texts.find("1000", at(0)), std::nullopt);
  put(texts, "1000", "a", 60);
  EXPECT_EQ(texts.find("1000", at(59)), "a");
  EXPECT_EQ(texts.find("1000", at(60)), std::nullopt);
  put(texts, "1000", "b", 120, 59);
  EXPECT_EQ(texts.find("1000", at(119)), "b");
  EXPECT_EQ(texts.size(), 1u);
  EXPECT_EQ(texts.evicted(), 0u);
}

TEST(Recent, WhatIsOverGoesWithTheNextWrite) {
  const auto ids = ids_of_one_shard(3);
  Texts texts(kPlenty);
  put(texts, ids[0], "a", 60);
  put(texts, ids[1], "b", 60);
  put(texts, ids[2], "c", 200, 60);
  EXPECT_EQ(texts.size(), 1u);
  EXPECT_EQ(texts.bytes(), kOne);
  EXPECT_EQ(texts.evicted(), 0u);
}

struct Used {
  int users = 0;
  bool in_use() const { return users != 0; }
};

TEST(Recent, WhatIsInUseStays) {
  const auto ids = ids_of_one_shard(4);
  const Recent<Used>::Terms terms{.until = at(60)};
  const std::size_t one = Recent<Used>::kBookkeepingBytes + sizeof(Used) + 4;
  Recent<Used> values(one * Recent<Used>::kShards);  // a shard has room for one
  const auto users = [&](const std::string& id, int more, int now) {
    int had = 0;
    values.change(id, at(now), [&](Used& value) {
      had = value.users;
      value.users += more;
      return std::optional(terms);
    });
    return had;
  };
  users(ids[0], 1, 0);
  users(ids[1], 1, 0);
  users(ids[2], 0, 0);
  users(ids[3], 0, 0);
  EXPECT_EQ(values.size(), 3u);
  EXPECT_EQ(values.evicted(), 1u);
  EXPECT_EQ(users(ids[0], -1, 70), 1) << "its time is over";
  EXPECT_EQ(users(ids[3], 0, 70), 0);
  EXPECT_EQ(users(ids[1], -1, 70), 1);
  EXPECT_EQ(values.size(), 1u);
  EXPECT_EQ(values.bytes(), one);
}

TEST(Recent, AValueWhoseTimeIsOverIsNotChangedButNew) {
  Texts texts(kPlenty);
  put(texts, "1000", "a", 60);
  texts.change("1000", at(60), [](std::string& value) {
    EXPECT_EQ(value, "");
    return std::optional(Texts::Terms{.bytes = 0, .until = at(70)});
  });
  EXPECT_EQ(texts.find("1000", at(69)), "");
}

TEST(Recent, ChangesAndForgets) {
  Texts texts(kPlenty);
  put(texts, "1000", "a");
  texts.change("1000", at(1), [](std::string& value) {
    value += "b";
    return std::optional(Texts::Terms{.bytes = 2, .until = at(9)});
  });
  EXPECT_EQ(texts.find("1000", at(2)), "ab");
  EXPECT_EQ(texts.bytes(), kOne - 98);
  texts.change("1000", at(2), [](std::string&) { return std::optional<Texts::Terms>(); });
  EXPECT_EQ(texts.find("1000", at(2)), std::nullopt);
  put(texts, "1000", "c");
  texts.forget("1000");
  texts.forget("1000");
  EXPECT_EQ(texts.find("1000", at(2)), std::nullopt);
  EXPECT_EQ(texts.bytes(), 0u);
  EXPECT_EQ(texts.size(), 0u);
}

TEST(Recent, TheOldestGoesWhenRoomIsNeeded) {
  const auto ids = ids_of_one_shard(4);
  const std::size_t three = 3 * kOne * Texts::kShards;
  Texts fits(three), too_small(three - Texts::kShards);
  for (Texts* texts : {&fits, &too_small})
    for (int i = 0; i < 3; ++i) put(*texts, ids[static_cast<std::size_t>(i)], "v");
  EXPECT_EQ(fits.size(), 3u);
  EXPECT_EQ(fits.evicted(), 0u);
  EXPECT_EQ(too_small.size(), 2u);
  EXPECT_EQ(too_small.evicted(), 1u);
  EXPECT_EQ(too_small.find(ids[0], at(0)), std::nullopt);

  put(fits, ids[0], "again");  // no longer the oldest
  put(fits, ids[3], "v");
  EXPECT_EQ(fits.find(ids[1], at(0)), std::nullopt);
  EXPECT_EQ(fits.find(ids[0], at(0)), "again");
  EXPECT_EQ(fits.bytes(), 3 * kOne);
}

TEST(Recent, WhatIsTooLargeForAShardIsNotKept) {
  Texts exact(kOne * Texts::kShards), small(kOne * Texts::kShards - 1), none(0);
  for (Texts* texts : {&exact, &small, &none}) put(*texts, "1000", "v");
  EXPECT_EQ(exact.find("1000", at(0)), "v");
  EXPECT_EQ(small.find("1000", at(0)), std::nullopt);
  EXPECT_EQ(small.bytes(), 0u);
  EXPECT_EQ(small.evicted(), 1u);
  EXPECT_EQ(none.size(), 0u);

  exact.keep("1000", "w", {.bytes = 101, .until = at(9)},
             at(0));  // it grew: the old value is not the truth now
  EXPECT_EQ(exact.find("1000", at(0)), std::nullopt);
}

TEST(Recent, ManyThreads) {
  Recent<int> counts(1 << 24);
  constexpr int kThreads = 4, kIds = 50, kRounds = 200;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&counts] {
      for (int i = 0; i < kIds * kRounds; ++i)
        counts.change(std::to_string(i % kIds), at(0), [](int& n) {
          ++n;
          return std::optional(Recent<int>::Terms{.bytes = 0, .until = at(1)});
        });
    });
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < kIds; ++i) EXPECT_EQ(counts.find(std::to_string(i), at(0)), kThreads * kRounds);
  EXPECT_EQ(counts.size(), static_cast<std::size_t>(kIds));
}

}  // namespace
}  // namespace stateway
