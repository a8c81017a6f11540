#include "stateway/stores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "stateway/stores_in_force.h"
#include "store/memory.h"
#include "store/temporary_directory.h"

namespace stateway {
namespace {

using store::Kind, store::OnOutage, store::StoreOptions;

StoreOptions embedded(std::string path) { return {.kind = Kind::embedded, .path = std::move(path)}; }
StoreOptions away(Kind kind, std::string url) {
  return {.kind = kind, .url = Secret(std::move(url)), .timeout = 50ms};
}

TEST(KnownAsTwo, NamesOfOneDirectory) {
  const SystemClock clock;
  const store::TemporaryDirectory directory;
  const std::string path = directory.path();
  std::filesystem::create_directory(path + "/a");
  std::filesystem::create_directory(path + "/b");
  std::filesystem::create_symlink("a", path + "/c");
  for (const char* other : {"/a/", "/b/../a", "/c"}) {
    const auto two = known_as_two(embedded(path + "/a"), embedded(path + other), clock);
    ASSERT_FALSE(two) << other;
    EXPECT_THAT(two.error().context, testing::StartsWith("both names are of one store, embedded at "));
  }
  for (const char* other : {"/b", "/not there"})
    EXPECT_EQ(known_as_two(embedded(path + "/a"), embedded(path + other), clock).value(), true) << other;
}

TEST(KnownAsTwo, WhatIsAwayIsNotKnown) {
  const SystemClock clock;
  const StoreOptions redis = away(Kind::redis, "redis://127.0.0.1:1");
  EXPECT_EQ(known_as_two(redis, away(Kind::redis, "redis://localhost:1"), clock).value(), false);
  const StoreOptions postgres = away(Kind::postgres, "postgres://127.0.0.1:1/x");
  EXPECT_EQ(known_as_two(postgres, away(Kind::postgres, "postgres://localhost:1/x"), clock).value(), false);
  EXPECT_EQ(known_as_two(redis, postgres, clock).value(), true) << "of two kinds";
}

TEST(StoresInForce, AJournalStaysWithItsStore) {
  const SystemClock clock;
  StoreOptions one = away(Kind::redis, "redis://127.0.0.1:1"),
               other = away(Kind::redis, "redis://127.0.0.1:2");
  one.on_outage = other.on_outage = OnOutage::journal;
  one.journal_path = other.journal_path = "/proc/self/journal";  // that cannot be made
  StoresInForce::Set set;
  set.store = {.options = one, .store = std::make_shared<store::MemoryStore>(clock, 1)};
  config::Config next;
  next.store = other;
  const auto refused = StoresInForce::open(next, &set, clock);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().context,
              testing::StartsWith("the journal in /proc/self/journal is of the store in force, redis"));
  next.store.journal_path = "/proc/self/another";
  const auto opened = StoresInForce::open(next, &set, clock);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().context, testing::Not(testing::HasSubstr("in force")));
  next.store = one;
  EXPECT_TRUE(StoresInForce::open(next, &set, clock)) << "the one in force";
}

}  // namespace
}  // namespace stateway
