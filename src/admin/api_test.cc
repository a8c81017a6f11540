#include "admin/api.h"

#include "admin/test_world.h"

namespace stateway::admin {
namespace {

using test::World;
using testing::HasSubstr;

std::string field(const wire::ClientResponse& response, std::string_view name) {
  const std::string* value = response.field(name);
  return value == nullptr ? "" : *value;
}

TEST(Api, EveryAnswerIsForItsCallerAlone) {
  World world;
  world.token = Secret("abc");
  for (const char* target : {"/healthz", "/readyz", "/v1/status", "/nowhere"}) {
    const auto response = world.get(target);
    EXPECT_EQ(field(response, "Cache-Control"), "no-store") << target;
    EXPECT_EQ(field(response, "X-Content-Type-Options"), "nosniff") << target;
  }
}

TEST(Api, UnknownPathsAreNotFound) {
  World world;
  for (const char* target :
       {"/", "/v1", "/v1/", "/v1/status/", "/v1//status", "/v1/sessions/", "/v1/sessions/a/b",
        "/v1/services/shop/instances/restart", "/v1/services//instances//restart", "/healthzz", "/V1/status",
        "/v1/status%2F"}) {
    const auto response = world.get(target);
    EXPECT_EQ(response.status, 404) << target;
    EXPECT_EQ(field(response, "Content-Type"), "application/problem+json") << target;
  }
}

TEST(Api, OtherMethodsAreToldWhichThereAre) {
  World world;
  const struct {
    const char *method, *target, *allow;
  } cases[] = {
      {"POST", "/v1/status", "GET, HEAD"},
      {"DELETE", "/healthz", "GET, HEAD"},
      {"OPTIONS", "/v1/routes", "GET, HEAD"},
      {"BREW", "/v1/services", "GET, HEAD"},
      {"PUT", "/v1/sessions/AAAAAAAAAAAAAAAA", "GET, HEAD, DELETE"},
      {"GET", "/v1/services/jobs/instances/jobs-1/restart", "POST"},
  };
  for (const auto& c : cases) {
    const auto response = world.send(c.method, c.target);
    EXPECT_EQ(response.status, 405) << c.method << c.target;
    EXPECT_EQ(field(response, "Allow"), c.allow) << c.method << c.target;
    EXPECT_EQ(field(response, "Content-Type"), "application/problem+json");
    EXPECT_THAT(response.body, HasSubstr("urn:stateway:problem:method-not-allowed"));
  }
}

TEST(Api, HeadIsGetWithoutItsBody) {
  World world;
  const auto response = world.send("HEAD", "/healthz");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(field(response, "Content-Length"), "3");
  EXPECT_EQ(response.body, "");
}

TEST(Api, RefusesBeforeItLooks) {
  World world;
  world.keep_session(1);
  const std::string target = "/v1/sessions/" + test::id_of(1);
  EXPECT_EQ(world.call({.target = "/v1/status", .host = "evil.example"}).status, 403);
  EXPECT_EQ(world.call({.method = "DELETE", .target = target, .host = ""}).status, 415);
  EXPECT_EQ(world
                .call({.method = "DELETE",
                       .target = target,
                       .host = "",
                       .fields = {{"Content-Type", "application/json"}, {"Origin", "http://evil.example"}}})
                .status,
            403);
  world.token = Secret("abc");
  const auto unknown = world.send("DELETE", target);
  EXPECT_EQ(unknown.status, 401);
  EXPECT_EQ(field(unknown, "WWW-Authenticate"), "Bearer realm=\"stateway\"");
  EXPECT_EQ(world.stored(1)->state, store::State::live);
  EXPECT_EQ(world.get("/nowhere").status, 401) << "strangers do not learn what there is";
  EXPECT_EQ(world.call({.target = target, .host = "", .fields = {{"Authorization", "Bearer abc"}}}).status,
            200);
}

TEST(Api, IsHealthyAsSoonAsItServes) {
  World world;
  world.draining = true;
  world.token = Secret("abc");
  const auto response = world.get("/healthz");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "ok\n");
}

TEST(Api, IsReadyWhenAllIs) {
  World world;
  auto response = world.get("/readyz");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(field(response, "Retry-After"), "1");
  EXPECT_THAT(response.body,
              HasSubstr("service shop has no available instance; service jobs has no available instance\""));
  world.all_up();
  EXPECT_EQ(world.get("/readyz").status, 200);

  upstream::Instance& only = world.instance(0, 0);
  EXPECT_TRUE(only.mark_down(only.status(), "refused"));
  response = world.get("/readyz");
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.body, HasSubstr("\"service shop has no available instance\""));
  EXPECT_TRUE(only.mark_up(only.status()));

  upstream::Instance& one_of_two = world.instance(1, 0);
  EXPECT_TRUE(one_of_two.mark_down(one_of_two.status(), "refused"));
  EXPECT_EQ(world.get("/readyz").status, 200);

  world.store.poisoned = true;
  EXPECT_THAT(world.get("/readyz").body, HasSubstr("the store takes no writes"));
  world.store.poisoned = false;
  world.draining = true;
  response = world.get("/readyz");
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.body, HasSubstr("the gateway is stopping"));
}

TEST(Api, ShowsAnOutageAndStaysReadyInIt) {
  World world;
  world.all_up();
  ASSERT_EQ(world.get("/readyz").status, 200);
  EXPECT_THAT(world.get("/v1/status").body, testing::Not(HasSubstr("outage")));
  world.store.outage = store::OutageStats{.away_since = world.clock.now(),
                                          .pending = 1,
                                          .kept = 2,
                                          .journal_bytes = 3,
                                          .known = 4,
                                          .known_bytes = 5,
                                          .known_lost = 6,
                                          .replayed = 7,
                                          .remade = 8,
                                          .overlapped = 9,
                                          .dropped = 10,
                                          .recovered = 11,
                                          .unkept = 12};
  EXPECT_THAT(
      world.get("/v1/status").body,
      HasSubstr(R"("outage":{"away_since":"2023-11-14T22:13:20.000Z","pending":1,"kept":2,)"
                R"("journal_bytes":3,"known":4,"known_bytes":5,"known_lost":6,"replayed":7,"remade":8,)"
                R"("overlapped":9,"dropped":10,"recovered":11,"unkept":12})"));
  EXPECT_EQ(world.get("/readyz").status, 200);
  world.store.outage->away_since = 0;
  EXPECT_THAT(world.get("/v1/status").body, HasSubstr(R"("away_since":null)"));
}

TEST(Api, ShowsTheStatus) {
  World world;
  world.keep_session(1);
  world.keep_session(2);
  world.counters.exchanges_total = 7;
  world.counters.overlaps = 1;
  world.counters.lane_waiting = 2;
  world.counters.lane_refused = 3;
  world.counters.documents_spared = 4;
  world.counters.document_octets_spared = 5;
  world.counters.documents_needed = 6;
  world.holders.visit({.id = "id", .version = 1, .identity = 7, .idle = 60s}, TimePoint()).end(1);
  world.snapshot.sessions.push_back({.name = "cart"});
  world.in_force.generation = 3;
  world.in_force.since = world.clock.now();
  world.in_force.refused_at = world.clock.now() + 5000;
  world.in_force.problems = {"F:1:1: no"};
  const auto response = world.get("/v1/status");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(field(response, "Content-Type"), "application/json");
  EXPECT_EQ(
      response.body,
      R"({"version":"1.2.3","uptime_s":3,"pid":42,"draining":false,)"
      R"("configuration":{"generation":3,"since":"2023-11-14T22:13:20.000Z",)"
      R"("refused_at":"2023-11-14T22:13:25.000Z","problems":["F:1:1: no"]},)"
      R"("store":{"kind":"memory","durability":"sync","durability_effective":"memory","records":2,)"
      R"("ended":0,"sessions_max":1000000,)"
      R"("commits":2,"groups":2,)"
      R"("mean_group":1.00,"conflicts":0,"swept":0,"poisoned":false,"previous":null},)"
      R"("gateway":{"connections":0,"connections_total":0,"handshakes_failed":0,"exchanges":0,)"
      R"("exchanges_total":7,"retries":0,"problems":0,"client_gone":0,"overlaps":1,"reruns":0,)"
      R"("lane_waiting":2,"lane_refused":3,)"
      R"("documents_spared":4,"document_octets_spared":5,"documents_needed":6,"patches_ignored":0},)"
      R"("cookies":{"stale":0,"unmoved":0,"kept":0,"kept_bytes":0,"kept_lost":0},)"
      R"("hybrid":{"kept":1,"kept_bytes":)" +
          std::to_string(world.holders.bytes()) +
          R"(,"kept_lost":0},)"
          R"("sessions":[{"kind":"cart","placement":"store","to_move":null,"moved":0,"outgrown":0,)"
          R"("counted_at":null,"records":{"live":0,"in_cookies":0,"at_instances":0,"ended":0}}]})"
          "\n");
}

TEST(Api, ShowsTheRoutes) {
  World world;
  world.snapshot.routes = route::Table({{.path = "/", .service = "shop"},
                                        {.path = "/api",
                                         .host = "shop.example",
                                         .methods = {"GET", "POST"},
                                         .service = "shop",
                                         .session = "cart",
                                         .affinity = route::parse_affinity("path:2").value(),
                                         .origins = {"https://other.example"},
                                         .max_body_bytes = 1024,
                                         .replay = route::Replay::reexecute}});
  EXPECT_EQ(
      world.get("/v1/routes").body,
      R"({"routes":[{"path":"/","host":null,"methods":[],"service":"shop","session":null,"affinity":null,)"
      R"("origins":[],)"
      R"("max_body_bytes":0,"replay":"reject"},{"path":"/api","host":"shop.example",)"
      R"("methods":["GET","POST"],)"
      R"("service":"shop","session":"cart","affinity":"path:2",)"
      R"("origins":["https://other.example"],"max_body_bytes":1024,)"
      R"("replay":"re-execute"}]})"
      "\n");
}

TEST(Api, ShowsTheConfiguration) {
  World world;
  world.in_force.generation = 2;
  world.in_force.settings = {{"route /\"", "path", "/\""}, {"store", "kind", "embedded"}};
  EXPECT_EQ(world.get("/v1/configuration").body,
            R"({"generation":2,"settings":[{"section":"route /\"","key":"path","value":"/\""},)"
            R"({"section":"store","key":"kind","value":"embedded"}]})"
            "\n");
}

TEST(Api, ShowsTheServices) {
  World world;
  upstream::Instance& fixed = world.instance(0, 0);
  EXPECT_TRUE(fixed.mark_up(fixed.status()));
  EXPECT_TRUE(fixed.enter(0));
  EXPECT_TRUE(fixed.mark_down(fixed.status(), "connection refused"));
  world.instance(1, 0).process_started(
      4711, {.address = parse_address("127.0.0.1:40001").value(), .token = nullptr}, 1);
  EXPECT_EQ(world.get("/v1/services").body,
            R"({"services":[{"name":"shop","supervised":false,"rollout":null,"waiting":0,"retrying":0,)"
            R"("instances":[)"
            R"({"name":"shop-1","address":"127.0.0.1:9001","state":"down","drain":null,"pid":null,)"
            R"("active":1,"requests":1,)"
            R"("failures":0,"restarts":0,"since":"2023-11-14T22:13:20.000Z","ejected_until":null,)"
            R"("next_start":null,"last_error":"connection refused"}]},)"
            R"({"name":"jobs","supervised":true,"count":2,"configured_count":2,"rollout":null,)"
            R"("waiting":0,"retrying":0,"instances":[)"
            R"({"name":"jobs-1","address":"127.0.0.1:40001","state":"starting","drain":null,"pid":4711,)"
            R"("active":0,"requests":0,)"
            R"("failures":0,"restarts":0,"since":"2023-11-14T22:13:20.000Z","ejected_until":null,)"
            R"("next_start":null,"last_error":null},)"
            R"({"name":"jobs-2","address":null,"state":"starting","drain":null,"pid":null,"active":0,)"
            R"("requests":0,"failures":0,)"
            R"("restarts":0,"since":"2023-11-14T22:13:20.000Z","ejected_until":null,)"
            R"("next_start":null,"last_error":null}]}]})"
            "\n");
}

TEST(Api, AReloadSaysWhatHasChanged) {
  World world;
  world.reload_outcome.changes = {"service shop changed", "routes changed"};
  auto response = world.send("POST", "/v1/reload");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "{\"generation\":1,\"changes\":[\"service shop changed\",\"routes changed\"]}\n");
  world.reload_outcome = {};
  EXPECT_EQ(world.send("POST", "/v1/reload").body, "{\"generation\":2,\"changes\":[]}\n");
}

TEST(Api, AReloadThatIsRefusedNamesEveryProblem) {
  World world;
  world.reload_outcome.problems = {"F:1:2: \"a\"", "F:3:4: b"};
  const auto response = world.send("POST", "/v1/reload");
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(field(response, "Content-Type"), "application/problem+json");
  EXPECT_EQ(response.body,
            R"({"type":"urn:stateway:problem:bad-configuration","title":"The configuration has problems",)"
            R"("status":422,"detail":"nothing has changed","problems":["F:1:2: \"a\"","F:3:4: b"]})"
            "\n");
}

TEST(Api, AReloadIsNotForOtherSitesNorWhileStopping) {
  World world;
  EXPECT_EQ(world.call({.method = "POST", .target = "/v1/reload", .host = ""}).status, 415);
  EXPECT_EQ(world.get("/v1/reload").status, 405);
  world.draining = true;
  EXPECT_EQ(world.send("POST", "/v1/reload").status, 503);
  EXPECT_EQ(world.in_force.generation, 0u);
}

TEST(Api, RestartsSupervisedInstances) {
  World world;
  const struct {
    const char* target;
    int status;
  } cases[] = {
      {"/v1/services/jobs/instances/jobs-2/restart", 202},
      {"/v1/services/shop/instances/shop-1/restart", 409},
      {"/v1/services/jobs/instances/jobs-3/restart", 404},
      {"/v1/services/jobs/instances/shop-1/restart", 404},
      {"/v1/services/none/instances/jobs-1/restart", 404},
  };
  for (const auto& c : cases) EXPECT_EQ(world.send("POST", c.target).status, c.status) << c.target;
  EXPECT_THAT(world.restarted, testing::ElementsAre("jobs/jobs-2"));
  EXPECT_THAT(world.send("POST", cases[0].target).body, HasSubstr(R"({"name":"jobs-2",)"));

  world.draining = true;
  EXPECT_EQ(world.send("POST", cases[0].target).status, 503);
  EXPECT_EQ(world.restarted.size(), 2u);
}

TEST(Api, DrainsAndUndrainsInstances) {
  World world;
  world.all_up();
  const std::string jobs = "/v1/services/jobs/instances/";
  for (const int again : {1, 2}) {
    const auto drained = world.send("POST", jobs + "jobs-2/drain");
    EXPECT_EQ(drained.status, 200) << again;
    EXPECT_THAT(drained.body,
                HasSubstr(R"("name":"jobs-2","address":null,"state":"draining","drain":"operator")"));
  }
  EXPECT_EQ(world.send("POST", "/v1/services/shop/instances/shop-1/drain").status, 200) << "fixed ones too";
  EXPECT_THAT(world.get("/readyz").body, HasSubstr("\"service shop has no available instance\""));
  for (const int again : {1, 2}) {
    const auto undrained = world.send("POST", jobs + "jobs-2/undrain");
    EXPECT_EQ(undrained.status, 200) << again;
    EXPECT_THAT(undrained.body, HasSubstr(R"("state":"up","drain":null)"));
  }
  for (const char* unknown : {"jobs-3/drain", "jobs-3/undrain", "shop-1/drain"})
    EXPECT_EQ(world.send("POST", jobs + unknown).status, 404) << unknown;
  EXPECT_EQ(world.get(jobs + "jobs-1/drain").status, 405);

  world.in_force.services[1]->scale(1);
  EXPECT_EQ(world.send("POST", jobs + "jobs-2/drain").status, 200);
  const auto leaving = world.send("POST", jobs + "jobs-2/undrain");
  EXPECT_EQ(leaving.status, 409);
  EXPECT_THAT(leaving.body, HasSubstr("urn:stateway:problem:instance-leaves"));
  EXPECT_EQ(world.send("POST", jobs + "jobs-2/restart").status, 409);
}

TEST(Api, ScalesSupervisedServices) {
  World world;
  const auto scaled = world.send("POST", "/v1/services/jobs/scale", R"({ "count" : 3 })");
  EXPECT_EQ(scaled.status, 202);
  EXPECT_THAT(scaled.body,
              testing::StartsWith(
                  R"({"name":"jobs","supervised":true,"count":3,"configured_count":2,"rollout":null)"));
  EXPECT_THAT(scaled.body, HasSubstr(R"("name":"jobs-3")"));
  EXPECT_THAT(world.applied, testing::ElementsAre("jobs"));

  EXPECT_EQ(world.send("POST", "/v1/services/none/scale", R"({"count":3})").status, 404);
  const auto fixed = world.send("POST", "/v1/services/shop/scale", R"({"count":3})");
  EXPECT_EQ(fixed.status, 409);
  EXPECT_THAT(fixed.body, HasSubstr("only a service with a command can be scaled"));
  for (const char* bad :
       {"", "{}", "3", R"({"count":0})", R"({"count":1001})", R"({"count":-1})", R"({"count":2.5})",
        R"({"count":"3"})", R"({"count":3,"x":1})", R"({"count":3)", R"({"count":3}x)"}) {
    const auto refused = world.send("POST", "/v1/services/jobs/scale", bad);
    EXPECT_EQ(refused.status, 400) << bad;
    EXPECT_THAT(refused.body, HasSubstr(R"(the body must be {\"count\":n} with n from 1 to 1000)"));
  }
  EXPECT_EQ(world.send("POST", "/v1/services/jobs/scale", R"({"count":1000})").status, 202);
  world.draining = true;
  EXPECT_EQ(world.send("POST", "/v1/services/jobs/scale", R"({"count":3})").status, 503);
  EXPECT_EQ(world.applied.size(), 2u);
}

}  // namespace
}  // namespace stateway::admin
