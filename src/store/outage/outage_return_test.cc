// What an exchange meets that spans an outage, or the loss of something, and its end.
#include "store/moved_on.h"
#include "store/outage/outage_fixture.h"
#include "store/outage/owner.h"

namespace stateway::store::outage {
namespace {

// The answer to a commit is lost, and another exchange loads what it made before that is known.
class LoadsMeanwhile final : public StateStore {
 public:
  explicit LoadsMeanwhile(Server& server) : server_(server) {}
  io::Task<Result<std::optional<Record>>> load(io::Loop& loop, std::string key) override {
    if (z_away && key.front() == 'z') co_return fail(Code::store_unavailable, Side::store, "gone");
    const auto store = server_.store();
    co_return co_await store->load(loop, std::move(key));
  }
  io::Task<Result<Committed>> commit(io::Loop& loop, Batch batch) override {
    const auto store = server_.store();
    if (std::exchange(fail_next, false)) co_return fail(Code::store_unavailable, Side::store, "gone");
    if (meanwhile) {
      auto committed = co_await store->commit(loop, std::move(batch));
      fail_next = true;
      Batch other = *std::exchange(meanwhile, std::nullopt);
      const auto ended = co_await outer->commit(loop, std::move(other));
      EXPECT_TRUE(ended && ended->local);
      co_return committed;
    }
    const std::string key = batch.writes.front().key;
    auto committed = co_await store->commit(loop, std::move(batch));
    if (!lose || !std::exchange(lose, false)) co_return committed;
    (void)co_await outer->load(loop, key);
    co_return fail(Code::store_unavailable, Side::store, "gone");
  }
  void touch(io::Loop&, std::string_view, WallMillis) override {}
  io::Task<Result<std::vector<Entry>>> list(io::Loop& loop, Query query) override {
    const auto store = server_.store();
    co_return co_await store->list(loop, std::move(query));
  }
  io::Task<Result<std::size_t>> sweep(io::Loop&, std::size_t) override { co_return std::size_t{0}; }
  Stats stats() const override { return server_.store()->stats(); }
  void set_sessions_max(std::uint64_t) override {}
  std::uint64_t epoch() const override { return server_.epoch(); }
  std::size_t partition(std::string_view key) const override { return key.front() == 'z' ? 1 : 0; }
  StateStore* outer = nullptr;
  bool lose = false;
  bool fail_next = false;
  std::atomic<bool> z_away = false;
  std::optional<Batch> meanwhile;

 private:
  Server& server_;
};

TEST_F(OutageTest, ACommitWhoseResultWasLoadedBeforeItsAnswerWasLostCountsOnce) {
  auto inner = std::make_unique<LoadsMeanwhile>(server_);
  LoadsMeanwhile* const bare = inner.get();
  Gateway gateway("r4");
  const OutageStore::Options options{
      .local = {.journal = {.folder = directory_.path() + "/r4", .bytes_max = 1 << 20},
                .overlay_bytes_max = 1 << 20},
      .pace = {.look = 1ms}};
  gateway.store = std::move(*OutageStore::open(std::move(inner), clock_, random_, remaker_, options));
  bare->outer = gateway.store.get();
  ASSERT_EQ(add(gateway, "s", "a"), "stored");
  bare->lose = true;
  add(gateway, "s", "b");  // as session::Records does: a conflict is a reason to do it again
  EXPECT_EQ(in_store("s"), "a\nb\n");
  gateway.store.reset();
}

TEST_F(OutageTest, WhatTheStoreSaysIsServedAlsoWhereWhatItLostIsRefused) {
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  open(two_);
  const auto old = snapshot();
  ASSERT_EQ(add(one_, "s", "b"), "stored");  // revision 2, lost
  auto entries = old;
  ASSERT_EQ(entries.size(), 1u);
  entries[0].record.revision = 3;  // another gateway renewed it at the new server
  entries[0].record.principal = "ann";
  entries[0].record.value += "login\n";
  fail_over(entries);
  EXPECT_EQ(see(one_, "s"), "a\nlogin\n");
  const auto seen = load(one_, "s").value();
  EXPECT_EQ(seen->principal, "ann");
  EXPECT_EQ(add(two_, "s", "c"), "stored");
  EXPECT_EQ(see(one_, "s"), in_store("s"));
}

TEST_F(OutageTest, WhatTheStoreSaysIsServedAlsoWhereThePolicyDropsWhatItLost) {
  close(one_);
  open(one_, OnConflict::store);
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  const auto old = snapshot();
  ASSERT_EQ(add(one_, "s", "b1"), "stored");
  auto entries = old;
  entries[0].record.revision = 3;
  entries[0].record.value += "b2\n";
  fail_over(entries);
  EXPECT_EQ(see(one_, "s"), "a\nb2\n");
}

TEST_F(OutageTest, ADroppedIntentIsNotKeptAfterARestart) {
  close(one_);
  open(one_, OnConflict::store);
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  open(two_);
  one_.line = Line::fails;
  ASSERT_EQ(add(one_, "s", "b1"), "local");
  ASSERT_EQ(add(two_, "s", "b2"), "stored");
  ASSERT_EQ(add(two_, "s", "c2"), "stored");
  ASSERT_TRUE(commit(one_, adding("other", std::nullopt, "x"))->local);  // its segment stays
  one_.line = Line::works;
  until_settled(one_);
  EXPECT_EQ(stats(one_).dropped, 1u);
  ASSERT_EQ(see(one_, "s"), "a\nb2\nc2\n");
  close(one_);
  open(one_, OnConflict::store);
  EXPECT_EQ(see(one_, "s"), "a\nb2\nc2\n");
  EXPECT_EQ(add(one_, "s", "d"), "stored");
}

TEST_F(OutageTest, AnEndThatIsPendingIsNotHiddenByACommitThatBeganBefore) {
  auto inner = std::make_unique<LoadsMeanwhile>(server_);
  LoadsMeanwhile* const bare = inner.get();
  Gateway gateway("r11");
  const OutageStore::Options options{
      .local = {.journal = {.folder = directory_.path() + "/r11", .bytes_max = 1 << 20},
                .overlay_bytes_max = 1 << 20},
      .pace = {.look = 1ms}};
  gateway.store = std::move(*OutageStore::open(std::move(inner), clock_, random_, remaker_, options));
  bare->outer = gateway.store.get();
  ASSERT_EQ(add(gateway, "s", "a"), "stored");
  bare->meanwhile = one_write("s", 1, in_state(State::ended, 2, clock_.now() + kLife));
  ASSERT_EQ(add(gateway, "s", "b"), "stored");
  ASSERT_EQ(stats(gateway).pending, 1u);
  EXPECT_EQ(see(gateway, "s"), "ended");
  gateway.store.reset();
}

TEST_F(OutageTest, AnEndedSessionStaysEndedForAnExchangeThatSpansTheReturn) {
  ASSERT_EQ(add(one_, "s", "a"), "stored");  // revision 1
  open(two_);
  one_.line = Line::fails;
  ASSERT_EQ(add(one_, "s", "b"), "local");    // local revision 2
  const auto base = load(one_, "s").value();  // an exchange at one begins
  ASSERT_EQ(end(two_, "s"), "stored");        // the store's revision 2: ended
  one_.line = Line::works;
  until_settled(one_);
  ASSERT_EQ(in_store("s"), "ended");
  Batch batch = adding("s", base, "c");
  batch.id.gateway = 1;
  const auto committed = commit(one_, std::move(batch));
  EXPECT_FALSE(committed);
  EXPECT_EQ(in_store("s"), "ended");
}

TEST_F(OutageTest, ARenewedSessionStaysRenewedForSuchAnExchange) {
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  open(two_);
  one_.line = Line::fails;
  ASSERT_EQ(add(one_, "s", "b"), "local");
  const auto base = load(one_, "s").value();
  auto there = load(two_, "s").value();
  Record renewed = *there;
  renewed.principal = "ann";
  renewed.value += "login\n";
  ++renewed.revision;
  ASSERT_TRUE(commit(two_, one_write("s", there->revision, renewed)));
  one_.line = Line::works;
  until_settled(one_);
  ASSERT_EQ(in_store("s"), "a\nlogin\n");
  Batch batch = adding("s", base, "c");
  batch.id.gateway = 1;
  EXPECT_FALSE(commit(one_, std::move(batch)));
  EXPECT_EQ(load(two_, "s").value()->principal, "ann");
  EXPECT_EQ(in_store("s"), "a\nlogin\n");
}

TEST_F(OutageTest, WhatIsDroppedGivesItsRevisionToNothingElse) {
  close(one_);
  open(one_, OnConflict::store);
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  open(two_);
  one_.line = Line::fails;
  ASSERT_EQ(add(one_, "s", "x1"), "local");
  const auto base = load(one_, "s").value();
  ASSERT_EQ(add(two_, "s", "x2"), "stored");
  one_.line = Line::works;
  until_settled(one_);
  Batch batch = adding("s", base, "c");
  batch.id.gateway = 1;
  EXPECT_CODE(commit(one_, std::move(batch)), Code::conflict);
  EXPECT_EQ(add(one_, "s", "c"), "stored");
  EXPECT_EQ(in_store("s"), "a\nx2\nc\n");
}

TEST_F(OutageTest, APendingSessionThatOthersUsedOnDoesNotExpireHere) {
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  open(two_);
  away(one_);
  ASSERT_EQ(add(one_, "s", "b"), "local");
  loop_.run([&](io::Loop& loop) { return touch_on(loop, *two_.store, "s", clock_.now() + 3 * kLife); });
  clock_.advance(std::chrono::milliseconds(2 * kLife));
  EXPECT_EQ(see(one_, "s"), "store-unavailable");
  one_.line = Line::works;
  until_settled(one_);
  EXPECT_EQ(in_store("s"), "a\nb\n");
  EXPECT_EQ(see(one_, "s"), "a\nb\n");
}

TEST_F(OutageTest, ASessionThatHasMovedOnIsNotRevivedAndDoesNotMoveOnFromHereAlone) {
  ASSERT_EQ(add(one_, "s", "a"), "stored");
  open(two_);
  away(one_);
  ASSERT_EQ(add(one_, "s", "b"), "local");
  const Record mark = carrying_mark(*load(two_, "s").value());
  EXPECT_CODE(commit(one_, one_write("s", 2, carrying_mark(*load(one_, "s").value()))),
              Code::store_unavailable);
  ASSERT_TRUE(commit(two_, one_write("s", 1, mark)));
  one_.line = Line::works;
  until_settled(one_);
  const auto left = load(one_, "s").value();
  ASSERT_TRUE(left && has_moved_on(*left));
  EXPECT_EQ(carried_by(*left)->value, "a\n");
  EXPECT_EQ(stats(one_).dropped, 1u);
}

io::Task<bool> advance(ManualClock& clock) {
  clock.advance(std::chrono::milliseconds(1000));
  co_return true;
}

TEST_F(OutageTest, WhatIsKeptIsForgottenThoughOneServerIsAway) {
  auto inner = std::make_unique<LoadsMeanwhile>(server_);
  LoadsMeanwhile* const bare = inner.get();
  Gateway gateway("r6");
  const OutageStore::Options options{
      .local = {.journal = {.folder = directory_.path() + "/r6", .bytes_max = 1 << 16},
                .overlay_bytes_max = 1 << 16},
      .pace = {.look = 1ms}};
  gateway.store = std::move(*OutageStore::open(std::move(inner), clock_, random_, remaker_, options));
  bare->outer = gateway.store.get();
  loop_.run([&](io::Loop& loop) { return attach(loop, *gateway.store); });
  bare->z_away = true;
  for (int i = 0; i < 3; ++i) (void)load(gateway, "zz");
  ASSERT_NE(stats(gateway).away_since, 0);
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(commit(gateway, adding("s" + std::to_string(i), std::nullopt, "a")));
    loop_.run([this](io::Loop&) { return advance(clock_); });  // which the loop reads, too
  }
  eventually([&] { return stats(gateway).kept < 100; });  // of 5 minutes, the last one's
  close(gateway);
}

TEST_F(OutageTest, AFolderSaysWhatWaitsInIt) {
  const std::string folder = directory_.path() + "/" + one_.folder;
  EXPECT_EQ(pending_in(directory_.path() + "/none"), 0u);
  ASSERT_TRUE(commit(one_, adding("s", std::nullopt, "a")));
  one_.line = Line::fails;
  ASSERT_TRUE(commit(one_, adding("t", std::nullopt, "b")));
  close(one_);
  EXPECT_EQ(pending_in(folder), 1u);
  one_.line = Line::works;
  open(one_);
  eventually([&] { return stats(one_).pending == 0; });
  close(one_);
  EXPECT_EQ(pending_in(folder), 0u);
}

}  // namespace
}  // namespace stateway::store::outage
