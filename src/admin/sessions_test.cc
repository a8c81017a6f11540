#include <fmt/format.h>

#include "admin/test_world.h"

namespace stateway::admin {
namespace {

using test::id_of;
using test::World;
using testing::HasSubstr;
using testing::Not;

/// The ids of a list in their order, then "> NEXT" if there is more.
std::string ids_of(const wire::ClientResponse& response) {
  EXPECT_EQ(response.status, 200) << response.body;
  std::string out;
  const auto add = [&](std::string_view mark, std::string_view before) {
    for (std::size_t at = 0; (at = response.body.find(mark, at)) != std::string::npos;) {
      at += mark.size();
      out += std::string(out.empty() ? "" : " ") + std::string(before) + response.body.substr(at, 16);
    }
  };
  add(R"({"id":")", "");
  add(R"("next":")", "> ");
  return out;
}

TEST(AdminSessions, AreListedWithoutTheirDocuments) {
  World world;
  world.keep_session(1, "", R"({"card":"4111"})");
  world.keep_session(2, "ann@example.org");
  EXPECT_EQ(
      world.get("/v1/sessions").body,
      R"({"sessions":[{"id":"AAAAAAAAAAAAAAAB","kind":"cart","lives_in":"store","version":1,)"
      R"("created":"2023-11-14T22:13:20.000Z",)"
      R"("expires_at":"2023-11-14T22:14:20.000Z","absolute":"2023-11-14T23:13:20.000Z","principal":null,)"
      R"("bytes":15},{"id":"AAAAAAAAAAAAAAAC","kind":"cart","lives_in":"store","version":1,)"
      R"("created":"2023-11-14T22:13:20.000Z",)"
      R"("expires_at":"2023-11-14T22:14:20.000Z","absolute":"2023-11-14T23:13:20.000Z",)"
      R"("principal":"ann@example.org","bytes":2}],"next":null})"
      "\n");
  EXPECT_EQ(ids_of(world.get("/v1/sessions?principal=ann%40example.org")), id_of(2));
  EXPECT_EQ(ids_of(world.get("/v1/sessions?principal=bob")), "");
  EXPECT_EQ(ids_of(world.get("/v1/sessions?principal=&after=")), id_of(1) + " " + id_of(2));
  EXPECT_EQ(ids_of(world.get("/v1/sessions?kind=cart&principal=ann%40example.org")), id_of(2));
  EXPECT_EQ(ids_of(world.get("/v1/sessions?kind=car")), "");
}

TEST(AdminSessions, AreListedByPages) {
  World world;
  for (unsigned n = 1; n <= 5; ++n) world.keep_session(n, n % 2 == 0 ? "even" : "odd");
  EXPECT_EQ(ids_of(world.get("/v1/sessions?limit=2")), id_of(1) + " " + id_of(2) + " > " + id_of(2));
  EXPECT_EQ(ids_of(world.get("/v1/sessions?limit=2&after=" + id_of(2))),
            id_of(3) + " " + id_of(4) + " > " + id_of(4));
  EXPECT_EQ(ids_of(world.get("/v1/sessions?limit=2&after=" + id_of(4))), id_of(5));
  EXPECT_EQ(ids_of(world.get("/v1/sessions?limit=2&after=" + id_of(5))), "");
  EXPECT_EQ(ids_of(world.get("/v1/sessions?limit=2&principal=odd&after=" + id_of(1))),
            id_of(3) + " " + id_of(5) + " > " + id_of(5));
}

TEST(AdminSessions, APageIsGatheredInStepsAndSkipsWhatHasEnded) {
  World world;
  for (unsigned n = 1; n <= 300; ++n) world.keep_session(n);
  for (unsigned n = 1; n <= 280; ++n) {
    auto ended = world.stored(n).value();
    ended.revision = 2;
    ended.state = store::State::ended;
    world.keep(n, std::move(ended));
  }
  world.keep(300,
             {.revision = 2, .expires_at = world.clock.now() + 1000, .principal = "", .value = "damaged"});
  std::string expected;
  for (unsigned n = 281; n < 300; ++n) expected += (expected.empty() ? "" : " ") + id_of(n);
  EXPECT_EQ(ids_of(world.get("/v1/sessions?limit=1000")), expected);
  EXPECT_LE(world.store.list_limit_most, 32u);
}

TEST(AdminSessions, AQueryThatMakesNoSenseIsRefused) {
  World world;
  for (const char* query :
       {"limit=0", "limit=1001", "limit=", "limit=-1", "limit=1e2", "after=x", "after=AAAAAAAAAAAAAAA",
        "after=AAAAAAAAAAAAAAAAAAAA", "after=AAAAAAAAAAAAAA%3D%3D", "principle=ann", "limit=1&limit=2",
        "principal=%zz"}) {
    const auto response = world.get(fmt::format("/v1/sessions?{}", query));
    EXPECT_EQ(response.status, 400) << query;
    EXPECT_THAT(response.body, HasSubstr("urn:stateway:problem:invalid-argument")) << query;
  }
}

TEST(AdminSessions, OneIsShownWithItsDocument) {
  World world;
  world.keep_session(7, "ann", R"({"items":["tea"]})");
  EXPECT_EQ(
      world.get("/v1/sessions/" + id_of(7)).body,
      R"({"id":"AAAAAAAAAAAAAAAH","kind":"cart","lives_in":"store",)"
      R"("version":1,"created":"2023-11-14T22:13:20.000Z",)"
      R"("expires_at":"2023-11-14T22:14:20.000Z","absolute":"2023-11-14T23:13:20.000Z","principal":"ann",)"
      R"("bytes":17,"document":{"items":["tea"]}})"
      "\n");
  world.clock.advance(std::chrono::minutes(1));
  EXPECT_EQ(world.get("/v1/sessions/" + id_of(7)).status, 404) << "expired";
}

TEST(AdminSessions, WhatIsNoSessionIsNotFound) {
  World world;
  world.keep_session(1);
  for (const std::string& id :
       {id_of(2), std::string("x"), id_of(1) + "A", id_of(1) + ".c2VjcmV0", std::string("%00x")}) {
    const int expected = id == "%00x" ? 400 : 404;
    EXPECT_EQ(world.get("/v1/sessions/" + id).status, expected) << id;
    EXPECT_EQ(world.send("DELETE", "/v1/sessions/" + id).status, expected) << id;
  }
}

TEST(AdminSessions, EndLeavesATombstoneThatNoLateCommitRevives) {
  World world;
  world.keep_session(1, "ann", R"({"card":"4111"})");
  const auto response = world.send("DELETE", "/v1/sessions/" + id_of(1));
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.body, "");
  const auto record = world.stored(1).value();
  EXPECT_EQ(record.state, store::State::ended);
  EXPECT_EQ(record.revision, 2u);
  EXPECT_EQ(record.expires_at, world.clock.now() + 3'600'000) << "until the cookie can no longer be of use";
  EXPECT_EQ(session::decode_record(record.value)->document, "{}");
  EXPECT_EQ(world.get("/v1/sessions/" + id_of(1)).status, 404);
  EXPECT_EQ(world.send("DELETE", "/v1/sessions/" + id_of(1)).status, 404);
  EXPECT_EQ(ids_of(world.get("/v1/sessions?principal=ann")), "");
}

TEST(AdminSessions, EndWinsAgainstExchangesThatAreFaster) {
  World world;
  world.keep_session(1);
  world.store.conflicts = 15;
  EXPECT_EQ(world.send("DELETE", "/v1/sessions/" + id_of(1)).status, 204);
  EXPECT_EQ(world.stored(1)->state, store::State::ended);

  world.keep_session(2);
  world.store.conflicts = 16;
  const auto lost = world.send("DELETE", "/v1/sessions/" + id_of(2));
  EXPECT_EQ(lost.status, 409);
  EXPECT_EQ(*lost.field("Retry-After"), "1");
  EXPECT_EQ(world.stored(2)->state, store::State::live);
}

TEST(AdminSessions, StoreTroubleIsNotAnAbsentSession) {
  World world;
  world.keep_session(1);
  world.store.away = true;
  for (const std::string& target : {std::string("/v1/sessions"), "/v1/sessions/" + id_of(1)}) {
    const auto response = world.get(target);
    EXPECT_EQ(response.status, 503) << target;
    EXPECT_THAT(response.body, HasSubstr("urn:stateway:problem:store-unavailable"));
    EXPECT_THAT(response.body, Not(HasSubstr("secret detail")));
  }
  world.store.away = false;
  world.store.poisoned = true;
  const auto response = world.send("DELETE", "/v1/sessions/" + id_of(1));
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.body, HasSubstr("urn:stateway:problem:store-poisoned"));
}

}  // namespace
}  // namespace stateway::admin
