#include "store/outage/outage_store.h"

#include "store/outage/outage_fixture.h"

namespace stateway::store::outage {
namespace {

TEST_F(OutageTest, KnownSessionsGoOnAndOthersAreNotReplaced) {
  ASSERT_EQ(add(one_, "known", "a"), "stored");
  ASSERT_EQ(see(one_, "absent"), "none");
  for (const Line how : {Line::fails, Line::hangs, Line::loses_answers}) {
    one_.line = how;
    EXPECT_EQ(see(one_, "known"), "a\n");  // also by the first operations, which find out
    EXPECT_EQ(see(one_, "absent"), "none");
    EXPECT_EQ(see(one_, "unknown"), "store-unavailable");
    one_.line = Line::works;
    until_settled(one_);
  }
}

TEST_F(OutageTest, WhatIsCommittedMeanwhileReachesTheStoreInOrder) {
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  one_.line = Line::fails;
  for (const char* line : {"b", "c", "d", "e"}) EXPECT_EQ(add(one_, "s", line), "local");
  EXPECT_EQ(add(one_, "begins", "x"), "store-unavailable");  // by a client that has a cookie
  EXPECT_TRUE(commit(one_, adding("begins", std::nullopt, "x"))->local);
  EXPECT_EQ(see(one_, "s"), "a\nb\nc\nd\ne\n");
  EXPECT_EQ(see(one_, "begins"), "x\n");
  EXPECT_EQ(in_store("s"), "a\n");
  EXPECT_EQ(stats(one_).pending, 5u);
  EXPECT_EQ(stats(one_).away_since, clock_.now());
  one_.line = Line::works;
  until_settled(one_);
  EXPECT_EQ(in_store("s"), "a\nb\nc\nd\ne\n");
  EXPECT_EQ(in_store("begins"), "x\n");
  EXPECT_EQ(add(one_, "s", "f"), "stored");
  EXPECT_EQ(in_store("s"), "a\nb\nc\nd\ne\nf\n");
  EXPECT_EQ(stats(one_).replayed, 5u);
  EXPECT_EQ(stats(one_).dropped + stats(one_).overlapped + stats(one_).remade, 0u);
}

TEST_F(OutageTest, AnOutageDoesNotCostEachOperationTheStoresTimeOut) {
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  detach(one_);  // no probes
  away(one_);
  const unsigned before = one_.inner->asked;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(add(one_, "s", "b"), "local");
  EXPECT_EQ(one_.inner->asked, before);
}

TEST_F(OutageTest, ACommitWhoseAnswerWasLostIsNotAppliedTwice) {
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  one_.line = Line::loses_answers;
  EXPECT_EQ(add(one_, "s", "b"), "local");
  EXPECT_EQ(in_store("s"), "a\nb\n");
  EXPECT_EQ(add(one_, "s", "c"), "local");
  one_.line = Line::works;
  until_settled(one_);
  EXPECT_EQ(in_store("s"), "a\nb\nc\n");
}

TEST_F(OutageTest, ConditionsAreJudgedOnWhatIsKnownHere) {
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  const auto base = load(one_, "s").value();
  away(one_);
  EXPECT_TRUE(commit(one_, adding("s", base, "b"))->local);
  EXPECT_CODE(commit(one_, adding("s", base, "c")), Code::conflict);
  EXPECT_CODE(commit(one_, adding("s", std::nullopt, "c")), Code::conflict);
  EXPECT_CODE(commit(one_, adding("t", live(3, clock_.now() + kLife), "c")), Code::store_unavailable);
  EXPECT_EQ(see(one_, "s"), "a\nb\n");
}

TEST_F(OutageTest, LogInsNeedTheStore) {
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  const auto base = load(one_, "s").value();
  Batch batch = adding("s", base, "b");
  batch.needs_store = true;
  for (const Line how : {Line::fails, Line::loses_answers}) {
    one_.line = how;
    EXPECT_CODE(commit(one_, batch), Code::store_unavailable);
  }
  EXPECT_EQ(stats(one_).pending, 0u);
  one_.line = Line::works;
  until_settled(one_);
  // With something pending that comes first.
  one_.line = Line::fails;
  ASSERT_EQ(add(one_, "s", "c"), "local");
  one_.line = Line::works;
  eventually([&] { return stats(one_).away_since == 0; });
  batch = adding("s", load(one_, "s").value(), "d");
  batch.needs_store = true;
  const auto committed = commit(one_, batch);
  ASSERT_TRUE(committed || committed.error().code == Code::conflict);  // the store may have another revision
  if (committed) EXPECT_FALSE(committed->local);
  EXPECT_EQ(stats(one_).pending, 0u);
}

TEST_F(OutageTest, TurnsAreTakenHereMeanwhile) {
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  open(two_);
  const auto take = [&](Gateway& at) {
    return loop_.run([&](io::Loop& loop) { return at.store->leases()->take(loop, "s", 60s); });
  };
  away(one_);
  const auto token = take(one_);
  ASSERT_TRUE(token);
  EXPECT_NE(*token, 0u);
  Batch batch = adding("s", load(one_, "s").value(), "b");
  batch.lease = *token;
  EXPECT_TRUE(commit(one_, batch)->local);
  one_.line = Line::works;
  until_settled(one_);
  EXPECT_EQ(in_store("s"), "a\nb\n");
  // One that was taken there, and whose commit comes too late for that.
  const auto there = take(two_);
  ASSERT_TRUE(there);
  batch = adding("s", load(two_, "s").value(), "c");
  batch.lease = *there;
  two_.line = Line::fails;
  EXPECT_TRUE(commit(two_, batch)->local);
  two_.line = Line::works;
  until_settled(two_);
  EXPECT_EQ(in_store("s"), "a\nb\nc\n");
}

TEST_F(OutageTest, ATouchIsSeenMeanwhileAndComesWithTheCommits) {
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  away(one_);
  ASSERT_EQ(add(one_, "s", "b"), "local");
  const WallMillis later = clock_.now() + 2 * kLife;
  loop_.run([&](io::Loop& loop) { return touch_on(loop, *one_.store, "s", later); });
  EXPECT_EQ(load(one_, "s").value()->expires_at, later);
  one_.line = Line::works;
  until_settled(one_);
  EXPECT_EQ(load(one_, "s").value()->expires_at, later);
}

TEST_F(OutageTest, ASessionEndsHereAndStaysEnded) {
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  open(two_);
  ASSERT_EQ(see(two_, "s"), "a\n");
  away(one_);
  EXPECT_EQ(end(one_, "s"), "local");
  EXPECT_EQ(see(one_, "s"), "ended");
  EXPECT_EQ(add(two_, "s", "b"), "stored");  // where nobody knows yet
  one_.line = Line::works;
  until_settled(one_);
  EXPECT_EQ(in_store("s"), "ended");
  EXPECT_EQ(see(two_, "s"), "ended");
}

TEST_F(OutageTest, WhatEndedElsewhereStaysEnded) {
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  open(two_);
  away(one_);
  EXPECT_EQ(add(one_, "s", "b"), "local");
  EXPECT_EQ(end(two_, "s"), "stored");
  one_.line = Line::works;
  until_settled(one_);
  EXPECT_EQ(in_store("s"), "ended");
  EXPECT_EQ(see(one_, "s"), "ended");
  EXPECT_EQ(stats(one_).dropped, 1u);
}

TEST_F(OutageTest, ChangesInOtherPlacesAreRebased) {
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  open(two_);
  away(one_);
  EXPECT_EQ(add(one_, "s", "b"), "local");
  EXPECT_EQ(add(one_, "s", "c"), "local");
  EXPECT_EQ(add(two_, "s", "x"), "stored");
  one_.line = Line::works;
  until_settled(one_);
  EXPECT_EQ(in_store("s"), "a\nx\nb\nc\n");
  EXPECT_EQ(see(one_, "s"), "a\nx\nb\nc\n");
  EXPECT_EQ(stats(one_).remade, 2u);
  EXPECT_EQ(stats(one_).overlapped, 0u);
  // No revision that was given out here is given out again for something else.
  EXPECT_GT(load(one_, "s").value()->revision, 4u);
}

TEST_F(OutageTest, ChangesInTheSamePlacesAreThePolicys) {
  for (const OnConflict policy : {OnConflict::journal, OnConflict::store}) {
    const std::string key = policy == OnConflict::journal ? "journal" : "store";
    close(one_);
    open(one_, policy);
    ASSERT_EQ(add(one_, key, "a"), "stored");
    if (!two_.store) open(two_);
    away(one_);
    EXPECT_EQ(add(one_, key, "x1"), "local");
    EXPECT_EQ(add(one_, key, "b"), "local");
    EXPECT_EQ(add(two_, key, "x2"), "stored");
    one_.line = Line::works;
    until_settled(one_);
    EXPECT_EQ(in_store(key), policy == OnConflict::journal ? "a\nx2\nx1\nb\n" : "a\nx2\nb\n");
    EXPECT_EQ(stats(one_).overlapped, 1u);
    EXPECT_EQ(stats(one_).dropped, policy == OnConflict::journal ? 0u : 1u);
  }
}

TEST_F(OutageTest, ARestartInTheMiddleGoesOnWithWhatWasWrittenSinceItBegan) {
  ASSERT_EQ(add(one_, "written", "a"), "stored");
  ASSERT_EQ(add(one_, "read", "a"), "stored");
  one_.line = Line::fails;
  EXPECT_EQ(add(one_, "written", "b"), "local");
  ASSERT_EQ(see(one_, "read"), "a\n");
  close(one_);
  open(one_);
  EXPECT_EQ(see(one_, "written"), "a\nb\n");
  EXPECT_EQ(see(one_, "read"), "store-unavailable");
  EXPECT_EQ(add(one_, "written", "c"), "local");
  close(one_);
  open(one_);
  EXPECT_EQ(stats(one_).pending, 2u);
  one_.line = Line::works;
  until_settled(one_);
  EXPECT_EQ(in_store("written"), "a\nb\nc\n");
  EXPECT_EQ(see(one_, "read"), "a\n");
  close(one_);
  open(one_);
  EXPECT_EQ(stats(one_).pending, 0u);
}

TEST_F(OutageTest, WhatTheStoreLostIsAppliedAgainBeforeItIsServed) {
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  const auto old = snapshot();
  for (const char* line : {"b", "c", "d"}) ASSERT_EQ(add(one_, "s", line), "stored");
  ASSERT_EQ(add(one_, "begun", "x"), "stored");
  ASSERT_EQ(add(one_, "ended", "x"), "stored");
  ASSERT_EQ(end(one_, "ended"), "stored");
  fail_over(old);
  EXPECT_EQ(see(one_, "s"), "a\nb\nc\nd\n");
  EXPECT_EQ(see(one_, "begun"), "x\n");
  EXPECT_EQ(see(one_, "ended"), "ended");
  EXPECT_EQ(add(one_, "s", "e"), "stored");
  EXPECT_EQ(in_store("s"), "a\nb\nc\nd\ne\n");
  EXPECT_GE(stats(one_).recovered, 6u);
}

TEST_F(OutageTest, WhatTheStoreLostIsAppliedAgainAlsoWhereNobodyAsks) {
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  ASSERT_EQ(add(one_, "s", "b"), "stored");
  fail_over({});
  eventually([&] { return in_store("s") == "a\nb\n"; });
}

TEST_F(OutageTest, ACommitOfWhatWasLoadedBeforeIsCheckedToo) {
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  const auto old = snapshot();
  ASSERT_EQ(add(one_, "s", "b"), "stored");
  const auto base = load(one_, "s").value();
  fail_over(old);
  open(two_);
  ASSERT_EQ(add(two_, "s", "x"), "stored");  // of the very revision that gateway one has seen
  Batch batch = adding("s", base, "c");
  batch.id.gateway = 1;
  if (const auto committed = commit(one_, batch); !committed) {
    EXPECT_EQ(committed.error().code, Code::conflict);
    EXPECT_EQ(add(one_, "s", "c"), "stored");
  }
  const std::string now = in_store("s");
  for (const char* line : {"a", "b", "x", "c"}) EXPECT_TRUE(now.contains(line)) << now;
}

TEST_F(OutageTest, WhatWasAcknowledgedSurvivesARestartAsWell) {
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  ASSERT_EQ(add(one_, "s", "b"), "stored");
  one_.line = Line::fails;
  ASSERT_EQ(add(one_, "s", "c"), "local");
  close(one_);
  fail_over({});
  one_.line = Line::works;
  open(one_);
  until_settled(one_);
  EXPECT_EQ(in_store("s"), "a\nb\nc\n");
}

TEST_F(OutageTest, AJournalThatIsFullIsAnErrorAndOldAcknowledgementsMakeRoom) {
  close(one_);
  one_.line = Line::works;
  open(one_, OnConflict::journal, 16 * 1024);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(add(one_, "s" + std::to_string(i), "a"), "stored");
  one_.line = Line::fails;
  int taken = 0;
  while (add(one_, "s199", "b" + std::to_string(taken)) == "local") ++taken;
  EXPECT_GT(taken, 5);
  EXPECT_LT(stats(one_).journal_bytes, 33u * 1024);
  EXPECT_EQ(add(one_, "s199", "c"), "store-unavailable");
  EXPECT_EQ(see(one_, "s199").substr(0, 5), "a\nb0\n");
  one_.line = Line::works;
  until_settled(one_);
  EXPECT_EQ(add(one_, "s199", "d"), "stored");
  EXPECT_TRUE(in_store("s199").contains("b" + std::to_string(taken - 1) + "\nd\n"));
}

TEST_F(OutageTest, AnotherGatewayMayNotUseTheJournal) {
  const OutageStore::Options options{
      .local = {.journal = {.folder = directory_.path() + "/one", .bytes_max = 1}}};
  const auto opened =
      OutageStore::open(std::make_unique<MemoryStore>(clock_, 1), clock_, random_, remaker_, options);
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error().context.starts_with("another gateway uses")) << opened.error().context;
}

TEST_F(OutageTest, AFolderThatCannotBeWrittenIsAnError) {
  const OutageStore::Options options{.local = {.journal = {.folder = "/proc/self/journal", .bytes_max = 1}}};
  const auto opened =
      OutageStore::open(std::make_unique<MemoryStore>(clock_, 1), clock_, random_, remaker_, options);
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error().context.starts_with("cannot create the journal's folder /proc/self/journal"))
      << opened.error().context;
}

}  // namespace
}  // namespace stateway::store::outage
