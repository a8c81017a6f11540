#include "session/sessions.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/bytes.h"
#include "io/test_loop.h"
#include "session/cookie.h"
#include "store/memory.h"

namespace stateway::session {
namespace {

SessionOptions cart_options() {
  SessionOptions options;
  options.name = options.cookie = "cart";
  options.idle = std::chrono::minutes(30);
  options.absolute = std::chrono::hours(24);
  return options;
}

http::CookieValues cookies(const std::vector<std::string>& values) {
  http::CookieValues out;
  for (const std::string& v : values) out.values[out.count++] = v;
  return out;
}

// One gateway's sessions over a store in memory, with a clock moved by hand.
struct World {
  ManualClock clock;
  SystemRandom random;
  store::MemoryStore store{clock, 1000};
  KeyRing keys{clock, random};  // placement store seals nothing
  Sessions sessions{store, keys, clock, random};
  SessionOptions options = cart_options();
  io::EpollLoop loop;

  io::Task<Result<Slot>> open(std::vector<std::string> values) {
    co_return co_await sessions.open(loop, options, false, cookies(values));
  }
  io::Task<Result<void>> patch(Slot& slot, std::string text, Overlap overlap = Overlap::last) {
    const std::string_view value = text;
    EXPECT_TRUE(slot.patches.add_header_values(std::span(&value, 1)));
    co_return co_await sessions.commit(loop, slot, overlap);
  }
};

io::Task<void> lives_from_its_first_patch(World& w) {
  auto slot = co_await w.open({});
  EXPECT_EQ(slot->version, 0u);
  EXPECT_EQ(slot->record.document, "{}");
  EXPECT_EQ(w.store.stats().records, 0u);
  const auto committed = co_await w.patch(*slot, R"({"a":1})");
  EXPECT_TRUE(committed);
  EXPECT_EQ(slot->cookie, Slot::Cookie::set);
  EXPECT_EQ(w.store.stats().records, 1u);

  auto again = co_await w.open({"garbage", slot->ticket.text()});
  EXPECT_EQ(again->version, 1u);
  EXPECT_EQ(again->record.document, R"({"a":1})");
  EXPECT_EQ(again->ticket.id_text(), slot->ticket.id_text());
  const auto second = co_await w.patch(*again, R"({"b":2,"a":null})");
  EXPECT_TRUE(second);
  EXPECT_EQ(again->cookie, Slot::Cookie::keep) << "an unchanged cookie is not sent again";
  EXPECT_EQ(again->version, 2u);
  EXPECT_EQ(again->record.document, R"({"b":2})");
}

TEST(Sessions, LiveFromTheirFirstPatch) {
  World w;
  run_until_done(w.loop, lives_from_its_first_patch(w));
}

io::Task<void> adopts_no_unknown_cookie(World& w) {
  auto mine = co_await w.open({});
  (void)co_await w.patch(*mine, R"({"mine":true})");
  const std::string text = mine->ticket.text();
  std::string forged = text;
  forged.back() = forged.back() == 'A' ? 'E' : 'A';
  auto slot = co_await w.open({forged});
  EXPECT_EQ(slot->version, 0u) << "a wrong secret opens nothing";
  EXPECT_NE(slot->ticket.id_text(), mine->ticket.id_text()) << "and its id is not taken over";

  SessionOptions other = cart_options();
  other.name = "other";
  auto crossed = co_await w.sessions.open(w.loop, other, false, cookies({text}));
  EXPECT_EQ(crossed->version, 0u) << "a ticket of another kind opens nothing";
}

TEST(Sessions, AdoptNoUnknownCookie) {
  World w;
  run_until_done(w.loop, adopts_no_unknown_cookie(w));
}

io::Task<void> rebases_late_patches(World& w) {
  auto first = co_await w.open({});
  (void)co_await w.patch(*first, R"({"n":1})");
  auto a = co_await w.open({first->ticket.text()});
  auto b = co_await w.open({first->ticket.text()});
  (void)co_await w.patch(*a, R"({"x":1})");
  const auto disjoint = co_await w.patch(*b, R"({"y":1})", Overlap::refuse);
  EXPECT_TRUE(disjoint);
  EXPECT_EQ(b->version, 3u);
  EXPECT_EQ(b->record.document, R"({"n":1,"x":1,"y":1})");

  auto c = co_await w.open({first->ticket.text()});
  auto d = co_await w.open({first->ticket.text()});
  (void)co_await w.patch(*c, R"({"n":2})");
  const auto refused = co_await w.patch(*d, R"({"n":3})", Overlap::refuse);
  EXPECT_FALSE(refused);
  if (!refused) EXPECT_EQ(refused.error().code, Code::overlap);
  const auto reloaded = co_await w.sessions.reload(w.loop, *d);
  EXPECT_TRUE(reloaded);
  EXPECT_EQ(d->version, 4u);
  EXPECT_FALSE(d->wants_commit());
}

TEST(Sessions, RebaseLatePatchesOnTheLatestVersion) {
  World w;
  run_until_done(w.loop, rebases_late_patches(w));
}

io::Task<void> renews_and_ends(World& w) {
  auto slot = co_await w.open({});
  (void)co_await w.patch(*slot, R"({"a":1})");
  const std::string old_text = slot->ticket.text();

  auto renewing = co_await w.open({old_text});
  renewing->renew = true;
  renewing->new_principal = "ann";
  const auto renewed = co_await w.sessions.commit(w.loop, *renewing, Overlap::last);
  EXPECT_TRUE(renewed);
  EXPECT_EQ(renewing->cookie, Slot::Cookie::set);
  EXPECT_EQ(renewing->ticket.id_text(), slot->ticket.id_text()) << "the id stays";
  auto with_old = co_await w.open({old_text});
  EXPECT_EQ(with_old->version, 0u) << "the old secret opens nothing from that commit on";
  auto with_new = co_await w.open({renewing->ticket.text()});
  EXPECT_EQ(with_new->version, 2u);
  EXPECT_EQ(with_new->principal, "ann");

  auto slow = co_await w.open({renewing->ticket.text()});
  with_new->end = true;
  const auto ended = co_await w.sessions.commit(w.loop, *with_new, Overlap::last);
  EXPECT_TRUE(ended);
  EXPECT_EQ(with_new->cookie, Slot::Cookie::clear);
  const auto late = co_await w.patch(*slow, R"({"late":1})");
  EXPECT_FALSE(late) << "a late patch never revives an ended session";
  if (!late) EXPECT_EQ(late.error().code, Code::session_ended);
  auto after = co_await w.open({renewing->ticket.text()});
  EXPECT_EQ(after->version, 0u);
}

TEST(Sessions, RenewChangesTheSecretAndEndIsForGood) {
  World w;
  run_until_done(w.loop, renews_and_ends(w));
}

io::Task<void> old_secret_gets_nothing_new(World& w) {
  auto slot = co_await w.open({});
  (void)co_await w.patch(*slot, R"({"cart":1})");
  const std::string old_text = slot->ticket.text();
  auto slow_renew = co_await w.open({old_text});
  auto slow_patch = co_await w.open({old_text});
  auto log_in = co_await w.open({old_text});
  log_in->renew = true;
  (void)co_await w.patch(*log_in, R"({"user":"ann"})");

  slow_renew->renew = true;
  const auto renewed = co_await w.sessions.commit(w.loop, *slow_renew, Overlap::last);
  EXPECT_FALSE(renewed) << "a superseded secret was given a fresh one";
  EXPECT_EQ(slow_renew->cookie, Slot::Cookie::keep);
  const auto reloaded = co_await w.sessions.reload(w.loop, *slow_patch);
  EXPECT_FALSE(reloaded) << "a superseded secret was shown the new document";
  EXPECT_EQ(slow_patch->record.document, R"({"cart":1})");
  auto victim = co_await w.open({log_in->ticket.text()});
  EXPECT_EQ(victim->version, 2u);
}

TEST(Sessions, ASecretThatWasRenewedGetsNothingNewFromASlowExchange) {
  World w;
  run_until_done(w.loop, old_secret_gets_nothing_new(w));
}

io::Task<void> both_end(World& w) {
  auto slot = co_await w.open({});
  (void)co_await w.patch(*slot, R"({"a":1})");
  auto first = co_await w.open({slot->ticket.text()});
  auto second = co_await w.open({slot->ticket.text()});
  first->end = second->end = true;
  (void)co_await w.sessions.commit(w.loop, *first, Overlap::last);
  const auto again = co_await w.sessions.commit(w.loop, *second, Overlap::last);
  EXPECT_TRUE(again);
  EXPECT_EQ(second->cookie, Slot::Cookie::clear);
}

TEST(Sessions, EndingTwiceIsEndingOnce) {
  World w;
  run_until_done(w.loop, both_end(w));
}

io::Task<void> expires(World& w) {
  auto slot = co_await w.open({});
  (void)co_await w.patch(*slot, R"({"a":1})");
  const std::string text = slot->ticket.text();
  w.clock.advance(std::chrono::minutes(29));
  auto slid = co_await w.open({text});
  EXPECT_EQ(slid->version, 1u);
  w.clock.advance(std::chrono::minutes(29));
  auto still = co_await w.open({text});
  EXPECT_EQ(still->version, 1u) << "use slides the idle expiry";
  w.clock.advance(std::chrono::minutes(30));
  auto gone = co_await w.open({text});
  EXPECT_EQ(gone->version, 0u);
}

TEST(Sessions, ExpireWhenIdle) {
  World w;
  run_until_done(w.loop, expires(w));
}

io::Task<void> expires_for_good(World& w) {
  auto slot = co_await w.open({});
  (void)co_await w.patch(*slot, R"({"a":1})");
  const std::string text = slot->ticket.text();
  for (int i = 0; i < 71; ++i) {
    w.clock.advance(std::chrono::minutes(20));
    auto used = co_await w.open({text});
    EXPECT_EQ(used->version, 1u) << i;
  }
  w.clock.advance(std::chrono::minutes(20));
  auto gone = co_await w.open({text});
  EXPECT_EQ(gone->version, 0u) << "24 hours are the end, however busy";
}

TEST(Sessions, ExpireAbsolutelyHoweverBusy) {
  World w;
  run_until_done(w.loop, expires_for_good(w));
}

io::Task<void> add_one_key(World& w, std::string ticket, int n, int& opened, int& done) {
  auto slot = co_await w.open({ticket});
  ++opened;  // all of them have read version 1 before the first commits
  while (opened < 50) co_await io::sleep_for(w.loop, 1ms);
  const auto committed = co_await w.patch(*slot, "{\"k" + std::to_string(n) + "\":1}");
  EXPECT_TRUE(committed);
  ++done;
}

io::Task<void> fifty_at_once(World& w) {
  auto slot = co_await w.open({});
  (void)co_await w.patch(*slot, R"({"first":1})");
  int opened = 0;
  int done = 0;
  io::TaskGroup group;
  for (int i = 0; i < 50; ++i) group.spawn(add_one_key(w, slot->ticket.text(), i, opened, done));
  co_await group.drained();
  EXPECT_EQ(done, 50);
  auto after = co_await w.open({slot->ticket.text()});
  EXPECT_EQ(after->version, 51u);
  for (int i = 0; i < 50; ++i)
    EXPECT_NE(after->record.document.find("\"k" + std::to_string(i) + "\":1"), std::string::npos) << i;
}

TEST(Sessions, FiftyParallelPatchesOfOneSessionAllStay) {
  World w;
  run_until_done(w.loop, fifty_at_once(w));
}

io::Task<void> hold_a_while(Lanes& lanes, io::Loop& loop, int n, std::vector<int>& order) {
  auto lease = co_await lanes.enter(loop, "key", loop.now() + 5s, 100);
  EXPECT_TRUE(lease);
  order.push_back(n);
  co_await io::sleep_for(loop, 0ms);
}

io::Task<void> in_order(io::EpollLoop& loop, Lanes& lanes) {
  std::vector<int> order;
  io::TaskGroup group;
  for (int i = 0; i < 10; ++i) group.spawn(hold_a_while(lanes, loop, i, order));
  EXPECT_EQ(lanes.busy(), 1u);
  co_await group.drained();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(lanes.busy(), 0u);
}

TEST(Lanes, LetOneInAtATimeInOrderOfArrival) {
  io::EpollLoop loop;
  Lanes lanes;
  run_until_done(loop, in_order(loop, lanes));
}

io::Task<void> waits_too_long(io::EpollLoop& loop, Lanes& lanes) {
  auto held = co_await lanes.enter(loop, "key", loop.now() + 5s, 100);
  const auto late = co_await lanes.enter(loop, "key", loop.now() + 5ms, 100);
  EXPECT_FALSE(late);
  {
    io::TaskGroup group;  // one that gives up by being destroyed
    std::vector<int> order;
    group.spawn(hold_a_while(lanes, loop, 1, order));
  }
  held->end();
  const auto free = co_await lanes.enter(loop, "key", loop.now() + 5s, 100);
  EXPECT_TRUE(free);
}

io::Task<void> queue_is_full(io::EpollLoop& loop, Lanes& lanes) {
  auto held = co_await lanes.enter(loop, "key", loop.now() + 5s, 1);
  std::vector<int> order;
  io::TaskGroup group;
  group.spawn(hold_a_while(lanes, loop, 1, order));
  const auto second = co_await lanes.enter(loop, "key", loop.now() + 5s, 1);
  EXPECT_FALSE(second);
  if (!second) EXPECT_EQ(second.error().code, Code::lane_full);
  held->end();
  co_await group.drained();
  EXPECT_EQ(order, std::vector<int>{1});
}

TEST(Lanes, RefuseAtOnceWhenTooManyWait) {
  io::EpollLoop loop;
  Lanes lanes;
  run_until_done(loop, queue_is_full(loop, lanes));
  EXPECT_EQ(lanes.busy(), 0u);
}

TEST(Lanes, WhoeverWaitsTooLongOrGivesUpLeavesTheQueue) {
  io::EpollLoop loop;
  Lanes lanes;
  run_until_done(loop, waits_too_long(loop, lanes));
  EXPECT_EQ(lanes.busy(), 0u);
}

io::Task<void> commits_in_its_turn(World& w) {
  auto begun = co_await w.open({});
  (void)co_await w.patch(*begun, R"({"n":1})");
  auto first = co_await w.open({begun->ticket.text()});
  auto second = co_await w.open({begun->ticket.text()});
  auto turn = co_await w.sessions.take_turn(w.loop, *first);
  EXPECT_TRUE(turn);
  w.options.lane_wait = std::chrono::milliseconds(1);
  const auto too_long = co_await w.sessions.take_turn(w.loop, *second);
  EXPECT_FALSE(too_long);
  const auto committed = co_await w.patch(*first, R"({"n":2})");
  EXPECT_TRUE(committed) << "a turn is no commit's lane";
  turn->end();
  auto next = co_await w.sessions.take_turn(w.loop, *second);
  EXPECT_TRUE(next);
  EXPECT_TRUE(co_await w.sessions.reload(w.loop, *second));
  EXPECT_EQ(second->record.document, R"({"n":2})");
  EXPECT_EQ(w.sessions.lanes_busy(), 1u);
}

TEST(Sessions, CommitInTheirTurn) {
  World w;
  run_until_done(w.loop, commits_in_its_turn(w));
  EXPECT_EQ(w.sessions.lanes_busy(), 0u);
}

io::Task<void> count_up(io::EpollLoop& loop, Lanes& lanes, int& counter, int times) {
  for (int i = 0; i < times; ++i) {
    auto lease = co_await lanes.enter(loop, "shared", loop.now() + 10s, 100);
    EXPECT_TRUE(lease);
    ++counter;  // unguarded but for the lane: TSan would tell
  }
}

TEST(Lanes, HoldAcrossLoops) {
  Lanes lanes;
  int counter = 0;
  const auto work = [&] {
    io::EpollLoop loop;
    run_until_done(loop, count_up(loop, lanes, counter, 500));
  };
  std::thread other(work);
  work();
  other.join();
  EXPECT_EQ(counter, 1000);
}

}  // namespace
}  // namespace stateway::session
