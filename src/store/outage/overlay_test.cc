#include "store/outage/overlay.h"

#include <gtest/gtest.h>

#include "store/store_fixture.h"

namespace stateway::store::outage {
namespace {

constexpr std::size_t kPlenty = 1 << 20;
constexpr WallMillis kNow = 1000;

std::optional<Record> found(const Overlay& overlay, std::string_view key, WallMillis now = kNow) {
  const auto known = overlay.find(key, now);
  EXPECT_TRUE(known.known) << key;
  return known.record;
}

TEST(Overlay, KnowsWhatTheStoreSaid) {
  Overlay overlay(kPlenty);
  EXPECT_FALSE(overlay.find("a", kNow).known);
  overlay.learn("a", live(1, 5000, "one"), 1);
  EXPECT_EQ(found(overlay, "a"), live(1, 5000, "one"));
  overlay.learn("a", live(2, 6000, "two"), 2);
  EXPECT_EQ(found(overlay, "a"), live(2, 6000, "two"));
  overlay.learn("b", std::nullopt, 3);
  EXPECT_EQ(found(overlay, "b"), std::nullopt);
  overlay.learn("b", live(1, 5000), 4);
  EXPECT_EQ(found(overlay, "b"), live(1, 5000));
  overlay.learn("b", std::nullopt, 5);
  EXPECT_EQ(found(overlay, "b"), std::nullopt);
}

TEST(Overlay, AnExpiredRecordIsNotKnown) {
  Overlay overlay(kPlenty);
  overlay.learn("a", live(1, 5000), 1);
  EXPECT_TRUE(overlay.find("a", 4999).known);
  EXPECT_FALSE(overlay.find("a", 5000).known);
  overlay.set("b", live(1, 5000), 2, true);
  EXPECT_FALSE(overlay.find("b", 5000).known);  // pending, and maybe used at another gateway
}

TEST(Overlay, AnAnswerFromBeforeACommitIsIgnored) {
  Overlay overlay(kPlenty);
  overlay.set("a", live(2, 5000, "two"), 7, false);
  overlay.learn("a", live(1, 5000, "one"), 6);
  overlay.learn("a", std::nullopt, 6);
  EXPECT_EQ(found(overlay, "a"), live(2, 5000, "two"));
  overlay.learn("a", live(3, 5000, "three"), 8);
  EXPECT_EQ(found(overlay, "a"), live(3, 5000, "three"));
  overlay.set("a", live(9, 5000), 9, true);
  overlay.learn("a", live(4, 5000), 10);
  EXPECT_EQ(found(overlay, "a"), live(9, 5000));
  overlay.set("a", live(3, 5000), 8, false);
  EXPECT_EQ(found(overlay, "a"), live(9, 5000));
  overlay.set("a", live(10, 5000), 11, false);
  EXPECT_EQ(found(overlay, "a"), live(10, 5000));
}

TEST(Overlay, ATouchMovesTheExpiryOfWhatIsKnown) {
  Overlay overlay(kPlenty);
  EXPECT_FALSE(overlay.touch("a", 9000, kNow));
  EXPECT_FALSE(overlay.find("a", kNow).known);
  overlay.learn("a", live(1, 5000), 1);
  EXPECT_TRUE(overlay.touch("a", 9000, kNow));
  EXPECT_TRUE(overlay.touch("a", 8000, kNow));
  EXPECT_EQ(found(overlay, "a", 8999)->expires_at, 9000);
  overlay.learn("b", in_state(State::ended, 2, 5000), 1);
  EXPECT_FALSE(overlay.touch("b", 9000, kNow));
  EXPECT_EQ(found(overlay, "b")->expires_at, 5000);
  overlay.learn("c", std::nullopt, 1);
  EXPECT_FALSE(overlay.touch("c", 9000, kNow));
  EXPECT_EQ(found(overlay, "c"), std::nullopt);
}

TEST(Overlay, IsBoundedButForWhatIsPending) {
  Overlay overlay(64 * 1024);
  const std::string document(1000, 'x');
  for (int i = 0; i < 300; ++i) overlay.set("pending" + std::to_string(i), live(1, 5000, document), 1, true);
  const std::size_t pending = overlay.bytes();
  EXPECT_GT(pending, 300'000u);
  for (int i = 0; i < 1000; ++i) {
    overlay.learn("known" + std::to_string(i), live(1, 5000, document), 2);
    overlay.learn("absent" + std::to_string(i), std::nullopt, 2);
  }
  EXPECT_LT(overlay.bytes(), pending + 64 * 1024);
  EXPECT_GT(overlay.evicted(), 900u);
  EXPECT_TRUE(overlay.find("absent999", kNow).known);
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(overlay.find("pending" + std::to_string(i), kNow).known);
}

TEST(Overlay, WhatDoesNotExistPushesOutNothingThatDoes) {
  Overlay overlay(64 * 1024);
  overlay.learn("known", live(1, 5000), 1);
  for (int i = 0; i < 10'000; ++i) overlay.learn("absent" + std::to_string(i), std::nullopt, 2);
  EXPECT_EQ(found(overlay, "known"), live(1, 5000));
  EXPECT_LT(overlay.bytes(), 64u * 1024);
}

}  // namespace
}  // namespace stateway::store::outage
