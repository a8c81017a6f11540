#include "session/recent_versions.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace stateway::session {
namespace {

constexpr WallMillis kIdle = 30 * 60'000;

RecentVersion version(store::Revision number, std::size_t octets = 10) {
  RecentVersion out;
  out.idle_expires = kIdle;
  out.version = number;
  out.record.document = std::string(octets, ' ');
  return out;
}

TEST(RecentVersions, KeepsTheLastVersionForAMinute) {
  RecentVersions recent(1024 * 1024);
  recent.keep("id", version(1), false, 0);
  recent.keep("id", version(2), false, 1'000);
  ASSERT_TRUE(recent.find("id", 2, 60'999));
  EXPECT_EQ(recent.find("id", 2, 60'999)->version, 2u);
  EXPECT_EQ(recent.find("id", 2, 61'000), nullptr);
  EXPECT_EQ(recent.find("other", 0, 0), nullptr);
}

TEST(RecentVersions, KeepsWhatOverlappedUntilItsCookieComesBack) {
  RecentVersions recent(1024 * 1024);
  recent.keep("id", version(2), false, 0);
  recent.keep("id", version(3), true, 1'000);
  recent.keep("id", version(4), false, 2'000);  // nothing says that the client has 3
  EXPECT_TRUE(recent.find("id", 2, kIdle - 1)) << "an older cookie yields, however late it comes";
  EXPECT_TRUE(recent.find("id", 4, kIdle - 60'001)) << "here it is";
  EXPECT_EQ(recent.find("id", 4, kIdle - 1), nullptr);
}

TEST(RecentVersions, KeepsWhatAnOlderCookieCameAfter) {
  RecentVersions recent(1024 * 1024);
  recent.keep("id", version(5), false, 0);
  EXPECT_TRUE(recent.find("id", 4, 59'999)) << "its client stores the answer to one of two requests last";
  EXPECT_TRUE(recent.find("id", 4, kIdle - 1));
  EXPECT_EQ(recent.find("id", 4, kIdle), nullptr) << "no cookie opens it any more";
}

TEST(RecentVersions, IsBoundedAndOverlapsHaveTheirOwnRoom) {
  RecentVersions recent(1024 * 1024);
  const auto fill = [&](int from, int to) {
    for (int i = from; i < to; ++i) recent.keep("s" + std::to_string(i), version(1, 10'000), false, i);
  };
  recent.keep("overlapped", version(3, 10'000), true, 0);
  fill(0, 10);
  EXPECT_EQ(recent.evicted(), 0u);
  fill(10, 1000);
  EXPECT_LE(recent.bytes(), 1024u * 1024);
  EXPECT_EQ(recent.evicted() + recent.size(), 1001u);
  EXPECT_TRUE(recent.find("s999", 1, 1000));
  EXPECT_TRUE(recent.find("overlapped", 1, 1000));
  RecentVersions none(0);
  none.keep("id", version(4), true, 1000);
  EXPECT_EQ(none.find("id", 1, 1000), nullptr);
}

TEST(RecentVersions, ForgetsWhatEnded) {
  RecentVersions recent(1024 * 1024);
  recent.keep("id", version(1), false, 0);
  recent.forget("id");
  recent.forget("id");
  EXPECT_EQ(recent.find("id", 0, 0), nullptr);
  EXPECT_EQ(recent.size(), 0u);
}

// Which of its two tables a version is in changes with each cookie that comes; it is in one of them all the
// time.
TEST(RecentVersions, IsNeverMissedBetweenItsTables) {
  RecentVersions recent(1024 * 1024);
  recent.keep("id", version(5), false, 0);
  std::atomic<bool> done = false;
  std::vector<std::thread> clients;
  for (int i = 0; i < 2; ++i)
    clients.emplace_back([&] {
      while (!done)
        for (const store::Revision brought : {4u, 5u}) EXPECT_TRUE(recent.find("id", brought, 1'000));
    });
  int missed = 0;
  for (int i = 0; i < 20'000; ++i) missed += recent.latest("id", 1'000) ? 0 : 1;
  done = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(missed, 0);
}

}  // namespace
}  // namespace stateway::session
