// Placement client: sessions in their cookies.
#include "session/two_gateways.h"

namespace stateway::session {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class ClientSessions : public TwoGateways {
 protected:
  io::Task<void> lives_in_its_cookie();
  io::Task<void> slides();
  io::Task<void> merges_overlaps();
  io::Task<void> keeps_overlaps();
  io::Task<void> goes_elsewhere();
  io::Task<void> keeps_what_was_reloaded();
  io::Task<void> is_told_nothing_old();
  io::Task<void> expires_by_the_present_idle_time();
  io::Task<void> fills_its_cookie_exactly();
  io::Task<void> outgrows_its_cookie();
  io::Task<void> logs_in();
  io::Task<void> logs_in_beside();
  io::Task<void> ends();
  io::Task<void> is_replayed();
  io::Task<void> leave_room();
};

io::Task<void> ClientSessions::lives_in_its_cookie() {
  Browser b;
  Slot slot = co_await open(b);
  EXPECT_TRUE(slot.fresh);
  EXPECT_FALSE(slot.wants_commit());
  (void)co_await answer(slot, b, R"({"a":1})");
  EXPECT_EQ(slot.version, 1u);
  EXPECT_EQ(store.stats().records, 0u);
  EXPECT_EQ(b.cookie.find('.'), std::string::npos);

  Slot again = co_await open(b);
  EXPECT_EQ(again.version, 1u);
  EXPECT_EQ(again.record.document, R"({"a":1})");
  EXPECT_EQ(again.ticket.id_text(), slot.ticket.id_text());
  EXPECT_FALSE(again.wants_commit()) << "an unchanged cookie is not sent again";
  (void)co_await answer(again, b, R"({"b":2,"a":null})");
  EXPECT_EQ(co_await look(b), R"({"b":2})");
  EXPECT_EQ(store.stats().records, 0u);
  EXPECT_EQ(co_await exchange(two, b, ""), R"({"b":2})") << "any gateway with the keys";
}
TEST_F(ClientSessions, ASessionLivesInItsCookieAlone) { run(lives_in_its_cookie()); }

io::Task<void> ClientSessions::slides() {
  Browser b;
  (void)co_await exchange(b, R"({"a":1})");
  const Browser first = b;
  clock.advance(minutes(5) - std::chrono::milliseconds(1));
  (void)co_await look(b);
  EXPECT_EQ(b.cookie, first.cookie);
  clock.advance(std::chrono::milliseconds(1));
  (void)co_await look(b);
  EXPECT_NE(b.cookie, first.cookie) << "a quarter of the idle time has passed";
  clock.advance(minutes(15));
  EXPECT_TRUE((co_await open(first)).fresh);
  Slot slot = co_await open(b);
  EXPECT_EQ(slot.version, 1u) << "sliding is no version";
  for (int i = 0; i < 150; ++i) {
    clock.advance(minutes(10));
    (void)co_await look(b);
  }
  EXPECT_TRUE((co_await open(b)).fresh) << "24 hours are the end, however busy";
}
TEST_F(ClientSessions, ACookieSlidesAndExpires) { run(slides()); }

io::Task<void> ClientSessions::merges_overlaps() {
  Browser b;
  (void)co_await exchange(b, R"({"n":0})");
  Slot slow = co_await open(b), quick = co_await open(b);
  Browser late = b;
  (void)co_await answer(quick, b, R"({"quick":1})");
  (void)co_await answer(slow, late, R"({"slow":1})");
  EXPECT_EQ(slow.version, 3u);
  // The browser stored the answers in the other order than they were made in, and comes much later.
  clock.advance(minutes(10));
  EXPECT_EQ(co_await look(b), R"({"n":0,"quick":1,"slow":1})");
  EXPECT_EQ((co_await open(b)).version, 3u);
  EXPECT_EQ(co_await exchange(two, b, ""), R"({"n":0,"quick":1,"slow":1})") << "the cookie has caught up";

  // A request that was sent before the last answer came.
  const Browser before = b;
  (void)co_await exchange(b, R"({"n":1})");
  Slot stale = co_await open(before);
  EXPECT_EQ(stale.version, 4u);
  EXPECT_TRUE(stale.wants_commit());
  const auto refused = co_await answer(one, stale, late, R"({"m":1})", Overlap::refuse);
  EXPECT_TRUE(refused.has_value()) << "it was given the latest";
  EXPECT_EQ(one.counts().stale, 2u);
}
TEST_F(ClientSessions, OverlapsAreMergedWithinAProcess) { run(merges_overlaps()); }

// The answers of exchanges that came with an old cookie may be the first to arrive, and be overwritten by
// older ones: only a request that brings the newest cookie shows that the browser has it.
io::Task<void> ClientSessions::keeps_overlaps() {
  Browser b;
  (void)co_await exchange(b, R"({"n":0})");
  const Browser first = b;
  Slot slow = co_await open(b), quick = co_await open(b);
  Browser elsewhere = b;
  (void)co_await answer(quick, b, R"({"quick":1})");
  (void)co_await answer(slow, elsewhere, R"({"slow":1})");
  for (const char* patch : {"", R"({"late":1})"}) {
    Slot late = co_await open(first);
    (void)co_await answer(late, elsewhere, patch);
    EXPECT_EQ(late.cookie, Slot::Cookie::set);
  }
  clock.advance(minutes(10));
  EXPECT_EQ(co_await look(b), R"({"n":0,"quick":1,"slow":1,"late":1})");
}
TEST_F(ClientSessions, AnOverlapIsKeptUntilTheNewestCookieComesBack) { run(keeps_overlaps()); }

// In a serial lane, or when it runs again, an exchange is given the latest version: its client was not.
io::Task<void> ClientSessions::keeps_what_was_reloaded() {
  Browser b;
  (void)co_await exchange(b, R"({"n":0})");
  Slot first = co_await open(b), second = co_await open(b), third = co_await open(b);
  Browser last = b;
  (void)co_await answer(first, b, R"({"a":1})");
  for (Slot* slot : {&second, &third}) {
    EXPECT_TRUE((co_await one.reload(loop, *slot)).has_value());
    (void)co_await answer(*slot, slot == &second ? b : last, slot == &second ? R"({"b":1})" : R"({"c":1})");
  }
  clock.advance(minutes(10));
  EXPECT_EQ(co_await look(b), R"({"n":0,"a":1,"b":1,"c":1})");
}
TEST_F(ClientSessions, WhatWasReloadedOverlappedAllTheSame) { run(keeps_what_was_reloaded()); }

// An exchange that changes nothing, but is to give its client a ticket, ends after the session has come back.
io::Task<void> ClientSessions::is_told_nothing_old() {
  Browser b;
  (void)co_await exchange(b, R"({"a":1})");
  const Browser first = b;
  (void)co_await exchange(b, R"({"big":")" + std::string(4000, 'x') + R"("})");
  Slot slow = co_await open(first);
  (void)co_await exchange(b, R"({"big":null})");
  (void)co_await exchange(b, R"({"b":2})");
  Browser late = b;
  (void)co_await answer(slow, late, "");
  for (Browser* browser : {&late, &b}) EXPECT_EQ(co_await look(*browser), R"({"a":1,"b":2})");
}
TEST_F(ClientSessions, ASlowAnswerTellsTheLatestOnly) { run(is_told_nothing_old()); }

io::Task<void> ClientSessions::expires_by_the_present_idle_time() {
  Browser b;
  options.idle = minutes(60);
  (void)co_await exchange(b, R"({"n":1})");
  const Browser planted = b;
  options.idle = minutes(5);
  Slot log_in = co_await open(b);
  log_in.renew = true;
  (void)co_await answer(log_in, b, R"({"user":"ann"})");
  for (int i = 0; i < 4; ++i) {
    clock.advance(minutes(2));
    (void)co_await exchange(b, R"({"i":)" + std::to_string(i) + "}");
    EXPECT_TRUE((co_await open(planted)).fresh) << "its record has gone by the shorter time";
  }
  EXPECT_FALSE((co_await open(b)).fresh);
}
TEST_F(ClientSessions, AShorterIdleTimeHoldsForOlderCookies) { run(expires_by_the_present_idle_time()); }

// Two answers were lost; then the client was at another gateway, which knows nothing of them, and got one.
io::Task<void> ClientSessions::goes_elsewhere() {
  Browser b;
  (void)co_await exchange(b, R"({"n":0})");
  const Browser first = b;
  Browser lost = b;
  for (const char* patch : {R"({"lost":1})", R"({"lost":2})", R"({"lost":3})"})
    (void)co_await exchange(lost, patch);
  EXPECT_EQ(co_await exchange(two, b, R"({"acknowledged":1})"), R"({"n":0})");
  EXPECT_EQ(co_await look(b), R"({"n":0,"acknowledged":1})");
  EXPECT_EQ(co_await exchange(b, R"({"m":1})"), R"({"n":0,"acknowledged":1})");
  Browser older = first;
  EXPECT_EQ(co_await look(older), R"({"n":0,"acknowledged":1,"m":1})") << "what is older than both";
}
TEST_F(ClientSessions, WhoGotACookieElsewhereKeepsIt) { run(goes_elsewhere()); }

std::string filled(std::size_t octets) { return R"({"x":")" + std::string(octets, 'x') + R"("})"; }

io::Task<void> ClientSessions::fills_its_cookie_exactly() {
  Browser b;
  std::size_t most = 0;
  for (std::size_t n = 2800; n < 3100 && most == 0; ++n) {
    (void)co_await exchange(b, filled(n));
    if (is_ticket(b)) most = n - 1;
    if (most == 0) EXPECT_LE(b.cookie.size() + 4, kCookieBytesMax);
  }
  Browser c;
  (void)co_await exchange(c, filled(most));
  EXPECT_GE(c.cookie.size() + 4, kCookieBytesMax - 1) << "base64 has no length of 4k + 1";
  EXPECT_EQ(one.counts().of("cart").outgrown, 1u);
}
TEST_F(ClientSessions, ACookieIsFilledToTheLastOctet) { run(fills_its_cookie_exactly()); }

io::Task<void> ClientSessions::outgrows_its_cookie() {
  Browser b;
  (void)co_await exchange(b, R"({"a":1})");
  const Browser small = b;
  (void)co_await exchange(b, filled(5000));
  EXPECT_TRUE(is_ticket(b));
  EXPECT_EQ(store.stats().records, 1u);
  EXPECT_EQ((co_await open(b)).version, 2u);
  EXPECT_FALSE((co_await open(b)).wants_commit());
  EXPECT_EQ((co_await open(small)).version, 2u) << "a live record wins";
  (void)co_await exchange(b, filled(2500));
  EXPECT_TRUE(is_ticket(b)) << "it would fit, but not in three quarters";
  (void)co_await exchange(b, filled(2000));
  EXPECT_FALSE(is_ticket(b));
  EXPECT_EQ((co_await open(b)).version, 4u);
  EXPECT_EQ((co_await open(small)).version, 4u) << "a moved record's document outdates older cookies";
  EXPECT_EQ(one.counts().of("cart").outgrown, 1u);
  EXPECT_EQ(one.counts().of("cart").to_client, 1u);
}
TEST_F(ClientSessions, ADocumentOutgrowsItsCookieAndComesBack) { run(outgrows_its_cookie()); }

io::Task<void> ClientSessions::logs_in() {
  Browser b;
  (void)co_await exchange(b, R"({"a":1})");
  const Browser planted = b;
  Slot slot = co_await open(b);
  slot.renew = true;
  slot.new_principal = "ann";
  (void)co_await answer(slot, b, R"({"user":"ann"})");
  EXPECT_TRUE((co_await open(planted)).fresh);
  EXPECT_TRUE((co_await open(two, planted.cookie)).fresh);
  clock.advance(minutes(2));
  EXPECT_TRUE((co_await open(planted)).fresh) << "when this process has forgotten";
  const Slot after = co_await open(b);
  EXPECT_EQ(after.principal, "ann");
  EXPECT_EQ(after.record.document, R"({"a":1,"user":"ann"})");
  EXPECT_EQ((co_await store.list(loop, {.principal = "ann"}))->size(), 1u);

  for (int i = 0; i < 9; ++i) {  // use keeps it in the list
    clock.advance(minutes(15));
    EXPECT_EQ(co_await look(b), R"({"a":1,"user":"ann"})");
  }
  EXPECT_EQ((co_await store.list(loop, {.principal = "ann"}))->size(), 1u);
}
TEST_F(ClientSessions, ALogInShutsOlderCookiesAndIsListed) { run(logs_in()); }

io::Task<void> ClientSessions::logs_in_beside() {
  Browser b;
  (void)co_await exchange(b, R"({"a":1})");
  Browser old = b;
  Slot log_in = co_await open(b), slow = co_await open(b), late = co_await open(b);
  log_in.renew = true;
  (void)co_await answer(log_in, b, R"({"user":"ann"})");
  EXPECT_EQ((co_await answer(slow, old, R"({"slow":1})")).error().code, Code::session_ended)
      << "who planted the cookie writes nothing into the session of who logged in";
  EXPECT_EQ(slow.cookie, Slot::Cookie::keep);
  late.renew = true;
  EXPECT_EQ((co_await answer(late, old, "")).error().code, Code::session_ended);
  EXPECT_EQ(co_await exchange(two, b, ""), R"({"a":1,"user":"ann"})");
}
TEST_F(ClientSessions, AnExchangeFromBeforeALogInChangesNothing) { run(logs_in_beside()); }

io::Task<void> ClientSessions::ends() {
  Browser b;
  (void)co_await exchange(b, R"({"a":1})");
  const Browser kept = b;
  Browser other = b;
  Slot ending = co_await open(b), slow = co_await open(b);
  ending.end = true;
  (void)co_await answer(ending, b, "");
  EXPECT_EQ(b.cookie, "");
  EXPECT_EQ((co_await answer(slow, other, R"({"late":1})")).error().code, Code::session_ended);
  EXPECT_TRUE((co_await open(kept)).fresh);
  EXPECT_TRUE((co_await open(two, kept.cookie)).fresh);
  EXPECT_EQ((co_await record(ending))->expires_at, ending.record.absolute_expires);
}
TEST_F(ClientSessions, AnEndedSessionIsOpenedByNoCookie) { run(ends()); }

// Whoever kept an old cookie can come with it again: what that can do is bounded.
io::Task<void> ClientSessions::is_replayed() {
  Browser b;
  (void)co_await exchange(b, R"({"n":1})");
  const Browser old = b;
  (void)co_await exchange(b, R"({"n":2})");
  clock.advance(minutes(2));
  Browser replaying = old;
  EXPECT_EQ(co_await look(replaying), R"({"n":1})") << "a sealed session cannot promise more";
  // Its own line of versions does not reach that of a log-in.
  for (int i = 0; i < 9; ++i) (void)co_await exchange(two, replaying, R"({"evil":1})");
  Slot log_in = co_await open(b);
  log_in.renew = true;
  (void)co_await answer(log_in, b, R"({"user":"ann"})");
  EXPECT_TRUE((co_await open(replaying)).fresh);
  EXPECT_TRUE((co_await open(two, replaying.cookie)).fresh);
  EXPECT_EQ(co_await look(b), R"({"n":2,"user":"ann"})");
}
TEST_F(ClientSessions, AnOldCookieReplaysItsOwnPastOnly) { run(is_replayed()); }

// Strangers begin and end sessions; then Ann logs in.
io::Task<void> ClientSessions::leave_room() {
  store.set_sessions_max(1);
  for (int i = 0; i < 3; ++i) {
    Browser stranger;
    (void)co_await exchange(stranger, R"({"n":1})");
    Slot last = co_await open(stranger);
    last.end = true;
    EXPECT_TRUE((co_await answer(last, stranger, "")).has_value());
  }
  Browser ann;
  Slot log_in = co_await open(ann);
  log_in.renew = true;
  EXPECT_TRUE((co_await answer(log_in, ann, R"({"user":"ann"})")).has_value());
  EXPECT_EQ(store.stats().ended, 3u);
}
TEST_F(ClientSessions, ThoseThatEndedLeaveRoomForALogIn) { run(leave_room()); }

}  // namespace
}  // namespace stateway::session
