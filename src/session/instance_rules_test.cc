#include "session/instance_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/test_loop.h"
#include "session/cookie.h"
#include "session/sessions.h"
#include "store/memory.h"
#include "store/temporary_directory.h"

namespace stateway::session {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

SessionOptions options_named(std::string name) {
  SessionOptions options;
  options.placement = Placement::instance;
  options.name = options.cookie = std::move(name);
  options.idle = minutes(20);
  options.absolute = hours(24);
  return options;
}

// One gateway's sessions, and a client who keeps its cookie.
class InstanceSessions : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(keys.use(directory.path() + "/keys").has_value()); }

  io::Task<Slot> open(std::string cookie, bool came_by_tls = false) {
    http::CookieValues cookies;
    if (!cookie.empty()) cookies.values[cookies.count++] = cookie;
    auto slot = co_await sessions.open(loop, options, came_by_tls, cookies);
    EXPECT_TRUE(slot.has_value());
    co_return std::move(*slot);
  }
  /// The commit of an exchange that instance `by` answered.
  io::Task<Result<void>> commit(Slot& slot, std::uint64_t by) {
    slot.answered_by = by;
    if (!slot.wants_commit()) co_return Result<void>{};
    co_return co_await sessions.commit(loop, slot, Overlap::last);
  }
  /// A new session at instance 7, and its cookie.
  io::Task<std::string> begun() {
    Slot slot = co_await open("");
    const auto committed = co_await commit(slot, 7);
    EXPECT_TRUE(committed.has_value());
    EXPECT_EQ(slot.cookie, Slot::Cookie::set);
    co_return std::string(slot.cookie_value.reveal());
  }
  io::Task<bool> opens(std::string cookie) {
    const Slot slot = co_await open(std::move(cookie));
    co_return !slot.fresh;
  }
  void run(io::Task<void> test) { run_until_done(loop, std::move(test)); }

  store::TemporaryDirectory directory;
  ManualClock clock;
  SystemRandom random;
  io::EpollLoop loop;
  store::MemoryStore store{clock, 1000};
  KeyRing keys{clock, random};
  Sessions sessions{store, keys, clock, random};
  SessionOptions options = options_named("cart");

  io::Task<void> begins_with_the_first_answer();
  io::Task<void> adopts_nothing_foreign();
  io::Task<void> slides_and_expires();
  io::Task<void> ends_absolutely();
  io::Task<void> is_recorded_when_renewed();
  io::Task<void> is_renewed_twice_at_once();
  io::Task<void> ends_for_good();
  io::Task<void> is_shut_when_it_cannot_be_renewed();
  io::Task<void> ends_although_the_store_is_full();
  io::Task<void> takes_no_patch();
  io::Task<void> reloads_what_still_lives();
  io::Task<void> slides_beside_a_renewal();
  io::Task<void> loses_its_instance();
};

// An exchange that waited for its turn, and has not reached the service yet.
io::Task<void> InstanceSessions::reloads_what_still_lives() {
  for (const bool recorded : {false, true}) {
    std::string cookie = co_await begun();
    if (recorded) {
      Slot login = co_await open(cookie);
      login.renew = true;
      EXPECT_TRUE(co_await commit(login, 7));
      cookie = login.cookie_value.reveal();
    }
    Slot waits = co_await open(cookie);
    EXPECT_TRUE(co_await sessions.reload(loop, waits));
    EXPECT_EQ(waits.pinned, 7u);
    EXPECT_FALSE(waits.fresh);
    for (const bool end : {false, true}) {
      Slot before = co_await open(cookie);
      Slot waited = co_await open(cookie);
      (end ? before.end : before.renew) = true;
      EXPECT_TRUE(co_await commit(before, 7));
      const auto reloaded = co_await sessions.reload(loop, waited);
      EXPECT_FALSE(reloaded);
      if (!reloaded) EXPECT_EQ(reloaded.error().code, Code::session_ended);
      if (!end) cookie = before.cookie_value.reveal();
    }
  }
  const std::string planted = co_await begun();
  Slot login = co_await open(planted), waited = co_await open(planted);
  login.renew = true;
  store.set_sessions_max(0);
  EXPECT_FALSE(co_await commit(login, 7));
  EXPECT_FALSE(co_await sessions.reload(loop, waited)) << "it was shut";
}
TEST_F(InstanceSessions, ReloadWhatStillLives) { run(reloads_what_still_lives()); }

io::Task<void> InstanceSessions::begins_with_the_first_answer() {
  Slot slot = co_await open("");
  EXPECT_TRUE(slot.fresh);
  EXPECT_EQ(slot.pinned, std::nullopt);
  const std::string id(slot.ticket.id_text());
  (void)co_await commit(slot, 7);
  EXPECT_EQ(slot.cookie, Slot::Cookie::set);
  EXPECT_EQ(slot.cookie_value.reveal().size(), sealed_size(1 + 32 + 4 * 8 + 8 + 1));
  EXPECT_EQ(store.stats().records, 0u);

  Slot again = co_await open(std::string(slot.cookie_value.reveal()));
  EXPECT_FALSE(again.fresh);
  EXPECT_EQ(again.ticket.id_text(), id);
  EXPECT_EQ(again.pinned, 7u);
  EXPECT_FALSE(again.wants_commit()) << "an unchanged cookie is not sent again";
  EXPECT_EQ(again.version, 0u);
}
TEST_F(InstanceSessions, BeginWithTheFirstAnswer) { run(begins_with_the_first_answer()); }

// The service has logged somebody in before it answers: whoever planted the cookie must not come upon that.
io::Task<void> InstanceSessions::is_shut_when_it_cannot_be_renewed() {
  const std::string planted = co_await begun();
  Slot slot = co_await open(planted);
  slot.renew = true;
  store.set_sessions_max(0);
  const auto committed = co_await commit(slot, 7);
  EXPECT_EQ(committed.error().code, Code::sessions_full);
  EXPECT_FALSE(co_await opens(planted));
  store.set_sessions_max(1000);
  EXPECT_FALSE(co_await opens(planted));
}
TEST_F(InstanceSessions, AreShutWhenTheyCannotBeRenewed) { run(is_shut_when_it_cannot_be_renewed()); }

io::Task<void> InstanceSessions::ends_although_the_store_is_full() {
  const std::string cookie = co_await begun();
  store.set_sessions_max(0);
  Slot slot = co_await open(cookie);
  slot.end = true;
  EXPECT_TRUE(co_await commit(slot, 7));
  EXPECT_EQ(slot.cookie, Slot::Cookie::clear);
  EXPECT_FALSE(co_await opens(cookie));
}
TEST_F(InstanceSessions, EndAlthoughTheStoreIsFull) { run(ends_although_the_store_is_full()); }

io::Task<void> InstanceSessions::adopts_nothing_foreign() {
  const std::string cookie = co_await begun();
  for (std::size_t i = 0; i < cookie.size(); i += 7) {
    std::string forged = cookie;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(co_await opens(forged)) << i;
  }
  EXPECT_FALSE(co_await opens(cookie.substr(0, cookie.size() - 1)));
  EXPECT_FALSE(co_await opens("AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAA"));
  EXPECT_FALSE(co_await opens(keys.seal("cart", "other contents")));
  const Slot by_tls = co_await open(cookie, true);
  EXPECT_TRUE(by_tls.fresh) << "what was seen on plain HTTP opens no __Host- session";
  options = options_named("other");
  EXPECT_FALSE(co_await opens(cookie)) << "nor one of another kind";
}
TEST_F(InstanceSessions, AdoptNothingForeign) { run(adopts_nothing_foreign()); }

io::Task<void> InstanceSessions::slides_and_expires() {
  const std::string cookie = co_await begun();
  clock.advance(minutes(5) - std::chrono::milliseconds(1));
  const Slot early = co_await open(cookie);
  EXPECT_FALSE(early.wants_commit());
  clock.advance(std::chrono::milliseconds(1));
  Slot due = co_await open(cookie);
  EXPECT_TRUE(due.wants_commit()) << "a quarter of idle has passed";
  (void)co_await commit(due, 7);
  EXPECT_EQ(due.cookie, Slot::Cookie::set);
  const std::string slid(due.cookie_value.reveal());
  clock.advance(minutes(15) - std::chrono::milliseconds(1));
  EXPECT_TRUE(co_await opens(cookie));
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_FALSE(co_await opens(cookie)) << "idle for 20 minutes";
  const Slot alive = co_await open(slid);
  EXPECT_EQ(alive.pinned, 7u);
  EXPECT_EQ(alive.ticket.id(), due.ticket.id());
}
TEST_F(InstanceSessions, SlideAfterAQuarterOfTheIdleTimeAndExpire) { run(slides_and_expires()); }

io::Task<void> InstanceSessions::ends_absolutely() {
  std::string cookie = co_await begun();
  for (int i = 0; i < 24 * 6 - 1; ++i) {
    clock.advance(minutes(10));
    Slot slot = co_await open(cookie);
    EXPECT_FALSE(slot.fresh) << i;
    (void)co_await commit(slot, 7);
    cookie = slot.cookie_value.reveal();
  }
  clock.advance(minutes(10));
  EXPECT_FALSE(co_await opens(cookie)) << "24 hours are the end, however busy";
}
TEST_F(InstanceSessions, ExpireAbsolutelyHoweverBusy) { run(ends_absolutely()); }

io::Task<void> InstanceSessions::is_recorded_when_renewed() {
  const std::string before = co_await begun();
  Slot log_in = co_await open(before);
  const std::string id(log_in.ticket.id_text());
  log_in.renew = true;
  log_in.new_principal = "ann";
  const auto renewed = co_await commit(log_in, 7);
  EXPECT_TRUE(renewed.has_value());
  const std::string after(log_in.cookie_value.reveal());
  EXPECT_EQ(store.stats().records, 1u);
  EXPECT_FALSE(co_await opens(before)) << "the old secret opens nothing";
  Slot bound = co_await open(after);
  EXPECT_EQ(bound.ticket.id_text(), id) << "the id stays, and so does the service's state";
  EXPECT_EQ(bound.principal, "ann");
  EXPECT_EQ(bound.pinned, 7u);
  const auto listed = co_await store.list(loop, {.principal = "ann"});
  EXPECT_EQ(listed->size(), 1u);
  EXPECT_EQ(decode_record(listed->front().record.value)->document, "{}");

  for (int i = 0; i < 6; ++i) {  // use slides the record's expiry too
    clock.advance(minutes(15));
    bound = co_await open(std::string(i == 0 ? after : bound.cookie_value.reveal()));
    EXPECT_FALSE(bound.fresh) << i;
    (void)co_await commit(bound, 7);
  }
  const std::string latest(bound.cookie_value.reveal());
  bound.end = true;
  (void)co_await commit(bound, 7);
  EXPECT_EQ(bound.cookie, Slot::Cookie::clear);
  EXPECT_FALSE(co_await opens(latest));
}
TEST_F(InstanceSessions, AreRecordedWhenRenewedAndFoundByTheirPrincipal) { run(is_recorded_when_renewed()); }

io::Task<void> InstanceSessions::is_renewed_twice_at_once() {
  const std::string cookie = co_await begun();
  Slot first = co_await open(cookie);
  Slot second = co_await open(cookie);
  first.renew = second.renew = true;
  EXPECT_TRUE((co_await commit(first, 7)).has_value());
  const auto late = co_await commit(second, 7);
  EXPECT_FALSE(late.has_value()) << "it would hand a valid secret to whoever held the old one";
  if (!late) EXPECT_EQ(late.error().code, Code::session_ended);
  EXPECT_FALSE(co_await opens(std::string(first.cookie_value.reveal())))
      << "the instance remembers the log-in of the second, which is not the first one's";
}
TEST_F(InstanceSessions, OfTwoRenewalsAtOnceTheSecondFails) { run(is_renewed_twice_at_once()); }

io::Task<void> InstanceSessions::ends_for_good() {
  const std::string cookie = co_await begun();
  Slot slot = co_await open(cookie);
  Slot slow = co_await open(cookie);
  slot.end = true;
  (void)co_await commit(slot, 7);
  EXPECT_EQ(slot.cookie, Slot::Cookie::clear);
  EXPECT_FALSE(co_await opens(cookie)) << "the store knows that it ended";
  slow.renew = true;
  EXPECT_FALSE((co_await commit(slow, 7)).has_value()) << "a late answer revives nothing";
  clock.advance(hours(24));
  EXPECT_FALSE(co_await opens(cookie)) << "the tombstone has gone, and the cookie has expired";

  Slot fresh = co_await open("");
  fresh.end = true;
  const auto records = store.stats().records;
  (void)co_await commit(fresh, 7);
  EXPECT_EQ(fresh.cookie, Slot::Cookie::clear);
  EXPECT_EQ(store.stats().records, records) << "nobody knew of it";
}
TEST_F(InstanceSessions, EndForGood) { run(ends_for_good()); }

io::Task<void> InstanceSessions::takes_no_patch() {
  Slot slot = co_await open("");
  const std::string_view patch = "{}";
  EXPECT_TRUE(slot.patches.add_header_values(std::span(&patch, 1)).has_value());
  const auto refused = co_await commit(slot, 7);
  EXPECT_FALSE(refused.has_value());
  if (!refused) EXPECT_EQ(refused.error().code, Code::bad_patch);
  if (!refused) EXPECT_THAT(refused.error().context, testing::HasSubstr("[session.cart]"));
  EXPECT_EQ(slot.cookie, Slot::Cookie::keep);
}
TEST_F(InstanceSessions, TakeNoPatch) { run(takes_no_patch()); }

io::Task<void> InstanceSessions::slides_beside_a_renewal() {
  const std::string cookie = co_await begun();
  clock.advance(minutes(10));
  Slot slow = co_await open(cookie);
  Slot log_in = co_await open(cookie);
  log_in.renew = true;
  (void)co_await commit(log_in, 7);
  (void)co_await commit(slow, 7);
  EXPECT_EQ(slow.cookie, Slot::Cookie::keep) << "the old ticket would take the place of the new one";

  const std::string renewed(log_in.cookie_value.reveal());
  clock.advance(minutes(10));
  slow = co_await open(renewed);
  Slot ending = co_await open(renewed);
  ending.end = true;
  (void)co_await commit(ending, 7);
  (void)co_await commit(slow, 7);
  EXPECT_EQ(slow.cookie, Slot::Cookie::keep);
}
TEST_F(InstanceSessions, ASlidCookieNeverTakesThePlaceOfARenewedOne) { run(slides_beside_a_renewal()); }

io::Task<void> InstanceSessions::loses_its_instance() {
  const std::string cookie = co_await begun();
  Slot slot = co_await open(cookie);
  const std::string id(slot.ticket.id_text());
  EXPECT_TRUE(sessions.lose_instance(slot).has_value());
  EXPECT_NE(slot.ticket.id_text(), id);
  EXPECT_EQ(slot.pinned, std::nullopt);
  (void)co_await commit(slot, 8);
  const Slot moved = co_await open(std::string(slot.cookie_value.reveal()));
  EXPECT_EQ(moved.pinned, 8u);

  options.on_lost_instance = OnLostInstance::fail;
  slot = co_await open(cookie);
  const auto lost = sessions.lose_instance(slot);
  EXPECT_FALSE(lost.has_value());
  if (!lost) EXPECT_EQ(lost.error().code, Code::instance_lost);
  EXPECT_EQ(slot.ticket.id_text(), id);
  EXPECT_EQ(slot.cookie, Slot::Cookie::keep) << "the instance may come back";
}
TEST_F(InstanceSessions, BeginAnewWhenTheirInstanceIsGoneOrFail) { run(loses_its_instance()); }

}  // namespace
}  // namespace stateway::session
