// Sessions whose placement changes.
#include "session/two_gateways.h"

namespace stateway::session {
namespace {

class Moving : public TwoGateways {
 protected:
  io::Task<void> cycles();
  io::Task<void> moves_although_answers_are_lost();
  io::Task<void> moves_beside();
  io::Task<void> overlaps_with_a_move();
  io::Task<void> is_not_failed_by_a_move();
  io::Task<void> is_kept_although_the_store_is_full();
  io::Task<void> leaves_its_instance();
  io::Task<void> leaves_with_its_document();
  io::Task<void> leaves_beside_a_log_in();
  io::Task<Browser> at_an_instance();
  io::Task<void> is_served_by_a_mixed_fleet();
};

io::Task<void> Moving::cycles() {
  std::vector<Browser> browsers(5);
  std::vector<int> counts(browsers.size());
  std::vector<std::string> ids(browsers.size());
  for (int round = 0; round < 12; ++round) {
    options.placement = round % 2 == 0 ? Placement::client : Placement::store;
    for (std::size_t i = 0; i < browsers.size(); ++i) {
      if (round > 0 && (round + static_cast<int>(i)) % 3 == 0) continue;  // these come later
      Slot slot = co_await open(browsers[i]);
      const std::string text = R"({"n":)" + std::to_string(counts[i]) + "}";
      if (counts[i] > 0) EXPECT_EQ(slot.record.document, text) << round << " " << i;
      if (counts[i] > 0) EXPECT_EQ(slot.ticket.id_text(), ids[i]);
      ids[i] = slot.ticket.id_text();
      const auto answered =
          co_await answer(slot, browsers[i], R"({"n":)" + std::to_string(++counts[i]) + "}");
      EXPECT_TRUE(answered.has_value());
      EXPECT_EQ(is_ticket(browsers[i]), options.placement == Placement::store);
      EXPECT_EQ(slot.version, static_cast<store::Revision>(counts[i]))
          << "a move with a patch is one version";
    }
  }
}
TEST_F(Moving, NothingIsLostHoweverOftenThePlacementChanges) { run(cycles()); }

io::Task<void> Moving::moves_although_answers_are_lost() {
  Browser b;
  (void)co_await exchange(b, R"({"n":1})");
  options.placement = Placement::store;
  const Browser sealed = b;
  EXPECT_EQ(co_await look(b), R"({"n":1})");
  EXPECT_TRUE(is_ticket(b)) << "it moves although the service wants nothing";
  Browser again = sealed;
  EXPECT_EQ(co_await exchange(again, R"({"n":2})"), R"({"n":1})");
  EXPECT_EQ(again.cookie, b.cookie);
  options.placement = Placement::client;
  const Browser ticket = b;
  EXPECT_EQ(co_await exchange(b, R"({"n":3})"), R"({"n":2})");
  EXPECT_FALSE(is_ticket(b));
  Browser lost = ticket;
  EXPECT_EQ(co_await exchange(two, lost, ""), R"({"n":3})");
  EXPECT_FALSE(is_ticket(lost));
  Browser older = sealed;
  EXPECT_EQ(co_await exchange(two, older, ""), R"({"n":3})") << "a sealed copy from before the move yields";
}
TEST_F(Moving, AMoveWhoseAnswerWasLostIsFoundAgain) { run(moves_although_answers_are_lost()); }

io::Task<void> Moving::moves_beside() {
  Browser b;
  (void)co_await exchange(b, R"({"list":[1]})");
  for (const Placement to : {Placement::store, Placement::client, Placement::store}) {
    Browser other = b;
    Slot slow = co_await open(b), quick = co_await open(b);
    options.placement = to;
    (void)co_await answer(quick, b, "");
    const auto answered = co_await answer(
        one, slow, other, R"([{"op":"replace","path":"/list/0","value":2}])", Overlap::refuse);
    EXPECT_TRUE(answered.has_value()) << "a move changes nothing that a patch could overlap with";
    EXPECT_EQ(co_await look(b), R"({"list":[2]})");
    (void)co_await exchange(b, R"({"list":[1]})");
  }
}
TEST_F(Moving, AnExchangeBesideAMoveFollowsIt) { run(moves_beside()); }

// Both came with the ticket; the browser stores the cookie of the move, and then nothing more for a while.
io::Task<void> Moving::overlaps_with_a_move() {
  Browser b, other;
  options.placement = Placement::store;
  (void)co_await exchange(b, R"({"n":0})");
  options.placement = Placement::client;
  for (const bool together : {true, false}) {
    Browser ticket = b;
    Slot slow = co_await open(ticket);
    EXPECT_EQ(co_await look(b), R"({"n":0})");
    if (!together) slow = co_await open(ticket);
    (void)co_await answer(slow, other, R"({"slow":1})");
    clock.advance(std::chrono::minutes(10));
    EXPECT_EQ(co_await look(b), R"({"n":0,"slow":1})");
    options.placement = Placement::store;
    (void)co_await exchange(b, R"({"slow":null})");
    options.placement = Placement::client;
  }
}
TEST_F(Moving, WhatOverlapsWithAMoveIsKeptUntilItsCookieComesBack) { run(overlaps_with_a_move()); }

io::Task<void> Moving::is_not_failed_by_a_move() {
  Browser b;
  (void)co_await exchange(b, R"({"n":1})");
  options.placement = Placement::store;
  store.set_sessions_max(0);
  Slot slot = co_await open(b);
  EXPECT_TRUE(slot.wants_commit());
  EXPECT_TRUE((co_await answer(slot, b, "")).has_value());
  EXPECT_EQ(slot.cookie, Slot::Cookie::keep);
  EXPECT_EQ(one.counts().unmoved, 1u);
  slot = co_await open(b);
  EXPECT_EQ((co_await answer(slot, b, R"({"n":2})")).error().code, Code::sessions_full);
  store.set_sessions_max(1000);
  EXPECT_EQ(co_await look(b), R"({"n":1})");
  EXPECT_TRUE(is_ticket(b));
}
TEST_F(Moving, AMoveThatFailsIsPutOff) { run(is_not_failed_by_a_move()); }

io::Task<void> Moving::leaves_its_instance() {
  for (const Placement to : {Placement::store, Placement::client}) {
    options.placement = Placement::instance;
    Browser b;
    Slot slot = co_await open(b);
    slot.answered_by = 7;
    (void)co_await answer(slot, b, "");
    const std::string id(slot.ticket.id_text());
    if (to == Placement::client) {  // one that has a record
      slot = co_await open(b);
      slot.answered_by = 7;
      slot.renew = true;
      (void)co_await answer(slot, b, "");
    }

    options.placement = to;
    Browser other = b;
    slot = co_await open(b);
    EXPECT_EQ(slot.pinned, 7u);
    EXPECT_EQ(slot.version, 0u);
    EXPECT_EQ(slot.record.document, "{}");
    EXPECT_EQ(slot.ticket.id_text(), id);
    Slot beside = co_await open(b);
    (void)co_await answer(slot, b, R"({"from":"memory","n":1})");
    EXPECT_EQ((co_await answer(beside, other, R"({"from":"memory","n":2})")).error().code, Code::overlap)
        << "what it hands over was there before the first one changed it";
    EXPECT_EQ(co_await look(b), R"({"from":"memory","n":1})");
    EXPECT_EQ((co_await open(b)).pinned, std::nullopt);
    EXPECT_EQ((co_await open(b)).ticket.id_text(), id);
    EXPECT_EQ(is_ticket(b), to == Placement::store);
  }
}
TEST_F(Moving, ASessionIsFetchedFromItsInstance) { run(leaves_its_instance()); }

io::Task<Browser> Moving::at_an_instance() {
  options.placement = Placement::instance;
  Browser b;
  Slot slot = co_await open(b);
  slot.answered_by = 7;
  (void)co_await answer(slot, b, "");
  co_return b;
}

// Answers that are not the adapter's (a static file, an error on the way) say nothing of the document.
io::Task<void> Moving::leaves_with_its_document() {
  Browser b = co_await at_an_instance();
  options.placement = Placement::store;
  const Browser first = b;
  for (int i = 0; i < 3; ++i) {
    clock.advance(std::chrono::minutes(10));
    Slot slot = co_await open(b);
    EXPECT_EQ(slot.pinned, 7u) << i;
    EXPECT_EQ(slot.version, 0u);
    slot.answered_by = 7;
    (void)co_await answer(slot, b, "");
  }
  EXPECT_NE(b.cookie, first.cookie) << "it slides meanwhile";
  (void)co_await exchange(b, "{}");
  EXPECT_TRUE(is_ticket(b)) << "an empty patch says that the document is empty";
}
TEST_F(Moving, ASessionStaysAtItsInstanceUntilItsDocumentComes) { run(leaves_with_its_document()); }

// It began before the reload.
io::Task<void> Moving::leaves_beside_a_log_in() {
  Browser b = co_await at_an_instance();
  Browser other = b;
  const SessionOptions before = options;
  http::CookieValues cookies;
  cookies.values[cookies.count++] = b.cookie;
  auto log_in = co_await one.open(loop, before, false, cookies);
  options.placement = Placement::store;
  (void)co_await exchange(b, R"({"n":5})");
  log_in->renew = true;
  log_in->answered_by = 7;
  EXPECT_EQ((co_await answer(*log_in, other, "")).error().code, Code::session_ended);
  for (Browser* browser : {&b, &other}) EXPECT_EQ(co_await look(*browser), R"({"n":5})");
}
TEST_F(Moving, ALogInAtTheInstanceDoesNotTakeTheSessionBack) { run(leaves_beside_a_log_in()); }

io::Task<void> Moving::is_kept_although_the_store_is_full() {
  Browser b;
  (void)co_await exchange(b, R"({"n":1})");
  options.placement = Placement::store;
  store.set_sessions_max(0);
  for (int i = 0; i < 6; ++i) {
    clock.advance(std::chrono::minutes(5));
    EXPECT_EQ(co_await look(b), R"({"n":1})") << i;
  }
}
TEST_F(Moving, WhoeverCannotMoveYetIsNotLoggedOut) { run(is_kept_although_the_store_is_full()); }

// Two gateways share the store; one has the new file already, and exchanges of one session do not overlap.
io::Task<void> Moving::is_served_by_a_mixed_fleet() {
  Browser b;
  int n = 0;
  for (int round = 0; round < 20; ++round) {
    Sessions& at = round * 7 % 3 == 0 ? one : two;
    options.placement = &at == &one ? Placement::client : Placement::store;
    const std::string given = co_await exchange(at, b, R"({"n":)" + std::to_string(n + 1) + "}");
    if (n > 0) EXPECT_EQ(given, R"({"n":)" + std::to_string(n) + "}") << round;
    ++n;
  }
}
TEST_F(Moving, AMixedFleetLosesNothing) { run(is_served_by_a_mixed_fleet()); }

}  // namespace
}  // namespace stateway::session
