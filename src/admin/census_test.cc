#include "admin/census.h"

#include "admin/test_world.h"

namespace stateway::admin {
namespace {

using session::Home;
using session::Placement;
using store::State;
using test::id_of;
using test::World;
using testing::HasSubstr;

struct Counted : World {
  Counted() {
    snapshot.sessions.push_back({.name = "cart", .cookie = "cart"});
    snapshot.sessions.push_back({.name = "other", .cookie = "other"});
  }
  Counted(const Counted&) = delete;

  void place(Placement placement) { snapshot.sessions[0].placement = placement; }
  void keep_record(unsigned n, State state, Home at, std::string document = "{}") {
    keep(n, {.revision = 1,
             .state = state,
             .expires_at = clock.now() + 60'000,
             .principal = "",
             .value = session::encode_record({.kind = "cart",
                                              .created = clock.now(),
                                              .absolute_expires = clock.now() + 3'600'000,
                                              .secret_hash = std::string(32, 's'),
                                              .home = at,
                                              .document = std::move(document)})});
  }
  bool count() {
    in_force.snapshot = std::make_shared<const gateway::Snapshot>(snapshot);
    bool counted = false;
    io::run_until_done(home, count_into(counted));
    return counted;
  }
  std::optional<std::uint64_t> to_move() { return still_to_move(sources(home), snapshot.sessions[0]); }

 private:
  io::Task<void> count_into(bool& counted) { counted = co_await census.count(); }
};

std::string filled(std::size_t octets) { return R"({"x":")" + std::string(octets - 8, 'x') + R"("})"; }

TEST(Census, CountsWhereTheRecordsSaySessionsAre) {
  Counted world;
  world.keep_record(1, State::live, Home::store);
  world.keep_record(2, State::live, Home::store);
  world.keep_record(3, State::moved, Home::client);
  world.keep_record(4, State::moved, Home::instance);
  world.keep_record(5, State::ended, Home::store);
  world.keep(6, {.revision = 1, .expires_at = world.clock.now() + 1000, .principal = "", .value = "damaged"});
  EXPECT_THAT(world.get("/v1/status").body,
              HasSubstr(R"("to_move":null,"moved":0,"outgrown":0,"counted_at":null)"));
  ASSERT_TRUE(world.count());
  EXPECT_THAT(world.get("/v1/status").body,
              HasSubstr(R"("counted_at":"2023-11-14T22:13:20.000Z",)"
                        R"("records":{"live":2,"in_cookies":1,"at_instances":1,"ended":1}},)"
                        R"({"kind":"other","placement":"store","to_move":0,)"));
}

TEST(Census, WalksInSteps) {
  Counted world;
  for (unsigned n = 1; n <= 700; ++n) world.keep_session(n);
  ASSERT_TRUE(world.count());
  EXPECT_EQ(world.census.of("cart").live, 700u);
  EXPECT_LE(world.store.list_limit_most, 512u);

  Counted large;
  for (unsigned n = 1; n <= 70; ++n) large.keep_session(n, "", filled(100'000));
  ASSERT_TRUE(large.count());
  EXPECT_EQ(large.census.of("cart").live, 70u);
  EXPECT_LE(large.store.list_limit_most, 32u) << "longer documents, shorter steps";
}

TEST(Census, AStoreInTroubleLeavesTheLastCount) {
  Counted world;
  world.keep_session(1);
  ASSERT_TRUE(world.count());
  world.keep_session(2);
  world.store.away = true;
  EXPECT_FALSE(world.count());
  EXPECT_EQ(world.census.of("cart").live, 1u);
}

TEST(ToMove, IsZeroWhereSessionsNeverWereElsewhere) {
  Counted world;
  world.keep_session(1);
  ASSERT_TRUE(world.count());
  EXPECT_EQ(world.to_move(), 0u);
}

TEST(ToMove, FromTheStoreIntoCookiesCountsThoseThatFit) {
  Counted world;
  world.place(Placement::client);
  world.keep_record(1, State::live, Home::store);
  world.keep_record(2, State::live, Home::store, filled(1000));
  world.keep_record(3, State::live, Home::store, filled(3000));  // not in three quarters of a cookie
  world.keep_record(4, State::moved, Home::client);
  ASSERT_TRUE(world.count());
  EXPECT_EQ(world.to_move(), 2u);
}

TEST(ToMove, OutOfCookiesNobodyCanCount) {
  Counted world;
  world.keep_session(1);
  ASSERT_TRUE(world.count());
  world.in_force.outside["cart"].in_cookies_until = world.clock.now() + 1000;
  EXPECT_EQ(world.to_move(), std::nullopt);
  world.clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(world.to_move(), 0u) << "none of them can be alive";
  world.keep_record(2, State::moved, Home::client);
  ASSERT_TRUE(world.count());
  EXPECT_EQ(world.to_move(), std::nullopt) << "this one is, and others may be";
}

TEST(ToMove, FromInstancesNobodyCanCount) {
  for (const Placement placement : {Placement::client, Placement::store}) {
    Counted world;
    world.place(placement);
    ASSERT_TRUE(world.count());
    EXPECT_EQ(world.to_move(), 0u);
    world.in_force.outside["cart"].at_instances_until = world.clock.now() + 1000;
    EXPECT_EQ(world.to_move(), std::nullopt);
    world.clock.advance(std::chrono::seconds(1));
    EXPECT_EQ(world.to_move(), 0u);
    world.keep_record(1, State::moved, Home::instance);
    ASSERT_TRUE(world.count());
    EXPECT_EQ(world.to_move(), std::nullopt);
  }
}

TEST(ToMove, ToInstancesNoneMoves) {
  Counted world;
  world.place(Placement::instance);
  world.keep_session(1);
  ASSERT_TRUE(world.count());
  EXPECT_EQ(world.to_move(), 0u);
}

TEST(EndOfTheUnknown, IsKeptAsLongAsACookieMayHoldTheSession) {
  Counted world;
  const std::string target = "/v1/sessions/" + id_of(9);
  for (session::SessionOptions& kind : world.snapshot.sessions) kind.placement = Placement::instance;
  EXPECT_EQ(world.send("DELETE", target).status, 404) << "no kind has documents";
  EXPECT_EQ(world.stored(9), std::nullopt);

  // Whatever the placement: clients may come with cookies that were sealed before this process started.
  world.snapshot.sessions[1].absolute = std::chrono::hours(48);
  unsigned n = 9;
  for (const Placement placement : {Placement::store, Placement::hybrid, Placement::client}) {
    world.place(placement);
    const std::string unknown = "/v1/sessions/" + id_of(n);
    EXPECT_EQ(world.send("DELETE", unknown).status, 204);
    const auto tombstone = world.stored(n).value();
    EXPECT_EQ(tombstone.state, State::ended);
    EXPECT_EQ(tombstone.expires_at, world.clock.now() + 48 * 3'600'000) << "the longest absolute";
    EXPECT_EQ(world.send("DELETE", unknown).status, 404) << "it has ended";
    EXPECT_EQ(world.get(unknown).status, 404);
    ++n;
  }
  EXPECT_EQ(world.send("DELETE", "/v1/sessions/short").status, 404);

  world.in_force.outside["gone"].in_cookies_until = world.clock.now() + 50 * 3'600'000;
  EXPECT_EQ(world.send("DELETE", "/v1/sessions/" + id_of(n)).status, 204);
  EXPECT_EQ(world.stored(n)->expires_at, world.clock.now() + 50 * 3'600'000)
      << "absolute was longer before a reload";
}

}  // namespace
}  // namespace stateway::admin
