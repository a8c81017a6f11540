#include "session/holders.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace stateway::session {
namespace {

constexpr std::uint64_t kThis = 7, kOther = 8;  // processes
constexpr std::size_t kPlenty = 1 << 20;

struct World {
  Holders holders{kPlenty};
  TimePoint now{std::chrono::seconds(100)};

  Holders::Visit visit(store::Revision given, std::uint64_t process = kThis) {
    return holders.visit({.id = "id", .version = given, .identity = process, .idle = 60s}, now);
  }
  // A whole visit, of nobody but this exchange.
  void keep(store::Revision given, store::Revision now_at, std::uint64_t process = kThis) {
    Holders::Visit v = visit(given, process);
    v.keeps("token");
    v.end(now_at);
  }
  std::string held(store::Revision version, std::uint64_t process = kThis) {
    Holders::Visit v = visit(version, process);
    std::string token = v.held();
    v.end_without_effect();
    return token;
  }
};

TEST(HoldToken, Syntax) {
  for (const std::string& good : {std::string("a"), std::string("A9.z_~-"), std::string(64, 'x')})
    EXPECT_TRUE(is_hold_token(good)) << good;
  for (const std::string& bad :
       {std::string(), std::string(65, 'x'), std::string("a b"), std::string("a,b"), std::string("\"a\""),
        std::string("a\x80"), std::string(1, '\0'), std::string("a/b"), std::string("a=")})
    EXPECT_FALSE(is_hold_token(bad)) << bad;
}

TEST(Holders, WhatAProcessWasGiven) {
  World w;
  EXPECT_EQ(w.held(3), "");
  w.keep(3, 3);
  EXPECT_EQ(w.held(3), "token");
  EXPECT_EQ(w.held(4), "");
  EXPECT_EQ(w.held(3, kOther), "");
}

TEST(Holders, WhatItsOwnPatchMade) {
  World w;
  w.keep(3, 4);
  EXPECT_EQ(w.held(4), "token");
  w.keep(4, 5);
  EXPECT_EQ(w.held(5), "token");
}

TEST(Holders, NobodyBringsAnOlderVersionBesideOneThatIsHeld) {
  World w;
  w.keep(3, 4);
  Holders::Visit told = w.visit(4);
  EXPECT_EQ(told.held(), "token");
  EXPECT_TRUE(w.visit(3).outdated()) << "it would make another version 4 in that process";
  Holders::Visit again = w.visit(4);
  EXPECT_FALSE(again.outdated());
  told.end(4);
  EXPECT_TRUE(w.visit(3).outdated()) << "the other one may have been told";
  again.end(4);
  EXPECT_FALSE(w.visit(3).outdated());
  EXPECT_EQ(w.held(4), "") << "that one broke off: it may have made another version 4";

  World given;  // whoever brings the document minds nobody
  given.keep(3, 4);
  Holders::Visit other = given.visit(4, kOther);
  EXPECT_EQ(other.held(), "");
  EXPECT_FALSE(given.visit(3).outdated());
}

TEST(Holders, NotUnderTheSameVersionOfAStoreThatMayHaveLostSome) {
  World w;
  const auto visit = [&](std::optional<std::uint64_t> epoch) {
    return w.holders.visit({.id = "id", .version = 3, .identity = kThis, .epoch = epoch, .idle = 60s}, w.now);
  };
  const auto keep = [&](std::optional<std::uint64_t> epoch) {
    Holders::Visit v = visit(epoch);
    v.keeps("token");
    v.end(3);
  };
  const auto held = [&](std::optional<std::uint64_t> epoch) {
    Holders::Visit v = visit(epoch);
    std::string token = v.held();
    v.end_without_effect();
    return token;
  };
  keep(8);
  EXPECT_EQ(held(8), "token");
  EXPECT_EQ(held(9), "");
  EXPECT_EQ(held(std::nullopt), "");
  keep(9);
  EXPECT_EQ(held(9), "token");
  keep(std::nullopt);
  EXPECT_EQ(held(9), "") << "nobody knows what it holds now";
  EXPECT_EQ(held(std::nullopt), "");
}

TEST(Holders, ANewSession) {
  World w;
  {
    Holders::Visit v = w.holders.visit({.id = "id", .fresh = true, .identity = kThis, .idle = 60s}, w.now);
    v.keeps("token");
    v.end(1);
  }
  EXPECT_EQ(w.held(1), "token");

  for (const bool begun : {false, true}) {  // those without a session leave nothing
    Holders::Visit v = w.holders.visit({.id = "other", .fresh = true, .identity = kThis, .idle = 60s}, w.now);
    v.keeps("token");
    if (begun)
      v.end(0);
    else
      v.end_without_effect();
  }
  EXPECT_EQ(w.holders.size(), 1u);
}

TEST(Holders, ANewSessionThatWasSentTwice) {
  World w;
  Holders::Sending sending{.id = "id", .fresh = true, .identity = kThis, .idle = 60s};
  (void)w.holders.visit(sending, w.now);  // its end is unknown
  EXPECT_EQ(w.holders.size(), 0u) << "or strangers who hang up would push out what is known of others";
  sending.again = true;
  Holders::Visit v = w.holders.visit(sending, w.now);
  v.keeps("token");
  v.end(1);
  EXPECT_EQ(w.held(1), "");
  w.keep(1, 1);
  EXPECT_EQ(w.held(1), "") << "the first may yet leave another version 1";
  w.keep(1, 2);
  EXPECT_EQ(w.held(2), "token");
}

TEST(Holders, NotAfterARebase) {
  World w;
  w.keep(3, 3);
  w.keep(3, 5);
  for (const store::Revision version : {4u, 5u}) EXPECT_EQ(w.held(version), "");
}

TEST(Holders, NotWithoutAClaim) {
  World w;
  w.visit(3).end(3);
  w.visit(3).end(4);
  for (const store::Revision version : {3u, 4u}) EXPECT_EQ(w.held(version), "");
}

TEST(Holders, AnAnswerThatClaimsNothingTakesNothingBack) {
  World w;
  w.keep(3, 3);
  w.visit(3).end(3);
  EXPECT_EQ(w.held(3), "token");
}

TEST(Holders, TheLastWhoKeepsIt) {
  World w;
  w.keep(3, 3, kThis);
  w.keep(3, 3, kOther);
  EXPECT_EQ(w.held(3, kThis), "");
  EXPECT_EQ(w.held(3, kOther), "token");
}

TEST(Holders, NotAProcessThatIsNotKnown) {
  World w;
  w.keep(3, 3, 0);
  EXPECT_EQ(w.held(3, 0), "");
}

TEST(Holders, WhoNeedsItDoesNotHoldIt) {
  World w;
  w.keep(3, 3);
  w.visit(3).end_needing();
  EXPECT_EQ(w.held(3), "");
  w.keep(3, 3);
  EXPECT_EQ(w.held(3), "token");
}

// The other exchange may have left its own version 4 in the process after this one did.
TEST(Holders, NotWhatWasMadeBesideOthers) {
  World w;
  Holders::Visit beside = w.visit(3);
  w.keep(3, 4);
  EXPECT_EQ(w.held(4), "");
  w.keep(4, 4);  // still beside it
  EXPECT_EQ(w.held(4), "");
  beside.keeps("token");
  beside.end(5);
  w.keep(5, 5);  // alone
  EXPECT_EQ(w.held(5), "token");
}

TEST(Holders, NotWhatTheOtherMadeEither) {
  World w;
  Holders::Visit first = w.visit(3);
  first.keeps("token");
  Holders::Visit second = w.visit(3);
  second.keeps("token");
  first.end(4);
  second.end(4);  // its own commit failed, or another was rebased: nothing is said of 4
  EXPECT_EQ(w.visit(4).held(), "");
}

TEST(Holders, AfterTheCrowdWhatIsGivenToOneAloneIsHeld) {
  World w;
  Holders::Visit beside = w.visit(3);
  w.keep(3, 4);
  beside.end(3);
  EXPECT_EQ(w.held(4), "");
  w.keep(4, 4);
  EXPECT_EQ(w.held(4), "token");
}

TEST(Holders, ManyReadersAtOnce) {
  World w;
  Holders::Visit first = w.visit(3), second = w.visit(3);
  first.keeps("token");
  second.keeps("token");
  first.end(3);
  EXPECT_EQ(w.visit(3).held(), "token");
}

TEST(Holders, NotBesideOneThatWasGivenTheVersionBefore) {
  World w;
  Holders::Visit late = w.visit(2);
  w.keep(3, 3);
  EXPECT_EQ(w.held(3), "");
  late.end(2);
  w.keep(3, 3);
  EXPECT_EQ(w.held(3), "token");
}

TEST(Holders, OneThatWasLoadedBeforeItTakesItAway) {
  World w;
  w.keep(3, 4);
  w.visit(3).end_without_effect();
  EXPECT_EQ(w.held(4), "");
}

TEST(Holders, AnUnknownEndIsDoubtedForThatVersionOnly) {
  World w;
  w.keep(3, 3);
  {
    const Holders::Visit broken = w.visit(3);
  }
  EXPECT_EQ(w.held(3), "");  // it may have left 4
  w.keep(3, 3);
  EXPECT_EQ(w.held(3), "token");
  w.keep(3, 4);
  w.keep(4, 4);
  EXPECT_EQ(w.held(4), "");
  w.keep(4, 5);
  EXPECT_EQ(w.held(5), "token");
}

TEST(Holders, AnUnknownEndElsewhereTakesNothingAway) {
  World w;
  w.keep(3, 3);
  {
    const Holders::Visit broken = w.visit(3, kOther);
  }
  EXPECT_EQ(w.held(3), "token");
}

TEST(Holders, MovedVisitsEndOnce) {
  World w;
  Holders::Visit a = w.visit(3);
  Holders::Visit b = std::move(a);
  a = w.visit(3);
  a = std::move(b);  // the second visit's end is unknown
  a.end_without_effect();
  w.keep(3, 4);
  EXPECT_EQ(w.held(4), "");
  w.keep(4, 5);
  EXPECT_EQ(w.held(5), "token");
}

TEST(Holders, AVisitOutlivesWhatIsKnown) {
  World w;
  Holders::Visit old = w.visit(3);
  w.holders.forget("id");
  Holders::Visit next = w.visit(3);
  old.keeps("token");
  old.end(4);
  next.end_without_effect();
  EXPECT_EQ(w.held(4), "");
  w.keep(4, 5);
  EXPECT_EQ(w.held(5), "token");
}

TEST(Holders, ForAsLongAsASessionMayBeIdle) {
  World w;
  w.keep(3, 3);
  w.now += 59s;
  EXPECT_EQ(w.held(3), "token");
  w.now += 60s;
  EXPECT_EQ(w.held(3), "");
}

TEST(Holders, ForgetsWhatEnded) {
  World w;
  w.keep(3, 3);
  w.holders.forget("id");
  EXPECT_EQ(w.held(3), "");
}

TEST(Holders, IsBounded) {
  Holders holders(16 * 1024);
  constexpr unsigned kSessions = 1000;
  for (unsigned i = 0; i < kSessions; ++i) {
    auto v =
        holders.visit({.id = std::to_string(i), .version = 1, .identity = kThis, .idle = 60s}, TimePoint{});
    v.keeps(std::string(64, 't'));
    v.end(1);
  }
  EXPECT_LE(holders.bytes(), 16u * 1024);
  EXPECT_GT(holders.size(), 0u);
  EXPECT_EQ(holders.size() + holders.evicted(), kSessions);
}

TEST(Holders, WhoIsInsideIsNotForgotten) {
  for (const bool by_others : {false, true}) {
    World w;
    Holders::Visit slow = w.visit(3);  // may leave its own version 4 in the process
    if (!by_others) w.now += 61s;
    for (unsigned i = 0; i < 5000 && by_others; ++i) {
      auto other = w.holders.visit(
          {.id = "other" + std::to_string(i), .version = 1, .identity = kThis, .idle = 60s}, w.now);
      other.end(1);
    }
    EXPECT_EQ(w.holders.evicted() > 0, by_others);
    w.keep(3, 4);
    EXPECT_EQ(w.held(4), "");
    slow.end_without_effect();
    w.keep(4, 5);
    EXPECT_EQ(w.held(5), "token");
  }
}

TEST(Holders, WithoutMemoryNothingIsHeldOrKept) {
  Holders none(0);
  for (const store::Revision version : {3u, 3u, 4u}) {
    auto visit = none.visit({.id = "id", .version = version, .identity = kThis, .idle = 60s}, TimePoint{});
    EXPECT_EQ(visit.held(), "");
    visit.keeps("token");
    visit.end(version);
    EXPECT_EQ(none.size(), 0u);
    EXPECT_EQ(none.bytes(), 0u);
  }
}

// Each thread is a browser with its own sessions; they all meet in one session besides.
TEST(Holders, ManyThreads) {
  World w;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t)
    threads.emplace_back([&w, t] {
      for (unsigned i = 0; i < 2000; ++i) {
        auto own = w.holders.visit(
            {.id = std::to_string(t), .version = i + 1, .identity = kThis, .idle = 60s}, w.now);
        EXPECT_EQ(own.held(), i == 0 ? "" : "t");
        own.keeps("t");
        own.end(i + 2);
        auto shared = w.holders.visit({.id = "id", .version = i, .identity = kThis, .idle = 60s}, w.now);
        if (i % 3 == 0) shared.end(i + 1);
      }
    });
  for (std::thread& thread : threads) thread.join();
  w.keep(5000, 5000);  // whatever happened, nobody is left inside
  EXPECT_EQ(w.held(5000), "token");
}

}  // namespace
}  // namespace stateway::session
