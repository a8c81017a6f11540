#include "session/recent_versions.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace stateway::session {
namespace {

const VersionMark kBefore(0, "");
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
  recent.keep("id", version(1), kBefore, false, 0);
  recent.keep("id", version(2), kBefore, false, 1'000);
  ASSERT_TRUE(recent.find("id", 2, 60'999));
  EXPECT_EQ(recent.find("id", 2, 60'999)->version, 2u);
  EXPECT_EQ(recent.find("id", 2, 61'000), nullptr);
  EXPECT_EQ(recent.find("other", 0, 0), nullptr);
}

TEST(RecentVersions, KeepsWhatOverlappedUntilItsCookieComesBack) {
  RecentVersions recent(1024 * 1024);
  recent.keep("id", version(2), kBefore, false, 0);
  recent.keep("id", version(3), kBefore, true, 1'000);
  recent.keep("id", version(4), kBefore, false, 2'000);  // nothing says that the client has 3
  EXPECT_TRUE(recent.find("id", 2, kIdle - 1)) << "an older cookie yields, however late it comes";
  EXPECT_TRUE(recent.find("id", 4, kIdle - 60'001)) << "here it is";
  EXPECT_EQ(recent.find("id", 4, kIdle - 1), nullptr);
}

TEST(RecentVersions, KeepsWhatAnOlderCookieCameAfter) {
  RecentVersions recent(1024 * 1024);
  recent.keep("id", version(5), kBefore, false, 0);
  EXPECT_TRUE(recent.find("id", 4, 59'999)) << "its client stores the answer to one of two requests last";
  EXPECT_TRUE(recent.find("id", 4, kIdle - 1));
  EXPECT_EQ(recent.find("id", 4, kIdle), nullptr) << "no cookie opens it any more";
}

TEST(RecentVersions, IsBoundedAndOverlapsHaveTheirOwnRoom) {
  RecentVersions recent(1024 * 1024);
  const auto fill = [&](int from, int to) {
    for (int i = from; i < to; ++i)
      recent.keep("s" + std::to_string(i), version(1, 10'000), kBefore, false, i);
  };
  recent.keep("overlapped", version(3, 10'000), kBefore, true, 0);
  fill(0, 10);
  EXPECT_EQ(recent.evicted(), 0u);
  fill(10, 1000);
  EXPECT_LE(recent.bytes(), 1024u * 1024);
  EXPECT_EQ(recent.evicted() + recent.size(), 1001u);
  EXPECT_TRUE(recent.find("s999", 1, 1000));
  EXPECT_TRUE(recent.find("overlapped", 1, 1000));
  RecentVersions none(0);
  none.keep("id", version(4), kBefore, true, 1000);
  EXPECT_EQ(none.find("id", 1, 1000), nullptr);
}

TEST(RecentVersions, ForgetsWhatEnded) {
  RecentVersions recent(1024 * 1024);
  recent.keep("id", version(1), kBefore, false, 0);
  recent.forget("id");
  recent.forget("id");
  EXPECT_EQ(recent.find("id", 0, 0), nullptr);
  EXPECT_EQ(recent.size(), 0u);
}

TEST(RecentVersions, ForgetsWhatACopyFromElsewhereDidNotBecome) {
  const auto made = [](store::Revision number, std::string document) {
    RecentVersion out = version(number);
    out.record.document = std::move(document);
    return out;
  };
  for (const bool overlapped : {false, true}) {
    RecentVersions recent(1024 * 1024);
    recent.keep("id", made(3, "three"), VersionMark(2, "two"), overlapped, 0);
    recent.keep("id", made(5, "five"), VersionMark(3, "three"), overlapped, 0);
    for (const auto& [brought, document] :
         {std::pair{1, "one"}, {2, "two"}, {3, "three"}, {5, "5"}, {6, "six"}})
      EXPECT_TRUE(recent.find("id", static_cast<store::Revision>(brought), 0, document)) << document;
    EXPECT_TRUE(recent.find("id", 3, 0)) << "nobody knows";
    EXPECT_FALSE(recent.find("id", 3, 0, "3"));
    EXPECT_FALSE(recent.latest("id", 0));
    recent.keep("id", made(5, "five"), VersionMark(3, "three"), overlapped, 0);
    EXPECT_FALSE(recent.find("id", 4, 0, "four")) << "we made none of that number";
    EXPECT_EQ(recent.size(), 0u);
  }
}

TEST(RecentVersions, RemembersTheLastSixteenOfALine) {
  RecentVersions recent(1024 * 1024);
  for (store::Revision n = 1; n <= 40; ++n)
    recent.keep("id", version(n), VersionMark(n - 1, n == 1 ? "" : version(n - 1).record.document), false, 0);
  EXPECT_TRUE(recent.find("id", 24, 0, "another")) << "too old to tell";
  EXPECT_FALSE(recent.find("id", 25, 0, "another"));
}

// Which of its two tables a version is in changes with each cookie that comes; it is in one of them all the
// time.
TEST(RecentVersions, IsNeverMissedBetweenItsTables) {
  RecentVersions recent(1024 * 1024);
  recent.keep("id", version(5), kBefore, false, 0);
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
