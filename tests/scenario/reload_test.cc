// What a reload changes, what it leaves alone, and what it refuses.
#include <fmt/format.h>
#include <signal.h>

#include "lab/program.h"
#include "site.h"

namespace stateway::scenario {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kOrigin = R"([service.origin]
instances = ["unix:@DIR@/one"]
[[route]]
path = "/o"
service = "origin"
)";

struct Pieces {
  std::string gateway = "";  // keys of [gateway]
  std::string services{kOrigin};
  std::string more = "";  // sections behind all others
};

std::string config_of(const Pieces& pieces = {}) {
  return fmt::format(R"([gateway]
debug_headers = true
drain_timeout = "1s"
{}
[admin]
address = "@ADMIN@"
[store]
path = "@DIR@/state"
durability = "os"
[[listen]]
address = "@CLIENTS@"
{}{}
)",
                     pieces.gateway, pieces.services, pieces.more);
}

class ReloadTest : public Site {
 protected:
  // An origin on the unix socket `name` of the folder, that listens.
  void start_origin(const std::string& name) {
    const std::string path = folder / name;
    auto started = lab::Program::start(
        {.words = {origin_binary()}, .environment = {{"SOCKET", path}}, .output_file = folder / "origins"});
    ASSERT_TRUE(started.has_value());
    origins_.push_back(std::move(*started));
    eventually([&] { return Raw(unix_address(path)).connected(); });
  }
  static Address unix_address(const std::string& path) { return parse_address("unix:" + path).value(); }

  void start_with_origin(const Pieces& pieces = {}) {
    start_origin("one");
    start(config_of(pieces));
  }
  // Sent, and read by the origin.
  void begin_slow(Raw& raw, std::string_view path = "/o", int ms = 1500) {
    const std::string before = get(fmt::format("{}/count", path)).body;
    raw.send(fmt::format("GET {}/slow?ms={} HTTP/1.1\r\nHost: h\r\n\r\n", path, ms));
    eventually([&] { return get(fmt::format("{}/count", path)).body != before; });
  }
  std::string status() { return ask_admin("/v1/status").body; }

 private:
  std::vector<std::unique_ptr<lab::Program>> origins_;
};

constexpr std::string_view kTwoRoutes = R"([service.origin]
instances = ["unix:@DIR@/one"]
[[route]]
path = "/o"
service = "origin"
[[route]]
path = "/new"
service = "origin"
)";

TEST_F(ReloadTest, TheSameFileIsANewGenerationWithoutAChange) {
  start_with_origin();
  EXPECT_THAT(status(), HasSubstr(R"("configuration":{"generation":1,)"));
  EXPECT_EQ(reload().body, "{\"generation\":2,\"changes\":[]}\n");
  EXPECT_THAT(status(), AllOf(HasSubstr(R"("configuration":{"generation":2,)"),
                              HasSubstr(R"("refused_at":null,"problems":[])")));
}

TEST_F(ReloadTest, ASignalReloadsAndSaysSoInOneLine) {
  start_with_origin();
  EXPECT_EQ(get("/new/echo-head").status, 404);
  write_config(config_of({.services = std::string(kTwoRoutes)}));
  gateway->signal(SIGHUP);
  eventually([&] { return get("/new/echo-head").status == 200; });
  eventually([&] {
    return gateway->log().find(R"("msg":"reloaded","generation":2,"changes":"routes changed"})") !=
           std::string::npos;
  });
}

TEST_F(ReloadTest, ABrokenFileChangesNothingAndEveryProblemIsSaid) {
  start_with_origin();
  write_config(
      config_of({.gateway = "drain_timeout_ = 1", .services = std::string(kTwoRoutes), .more = "x = "}));
  Reply refused = reload();
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(refused.problem(), "bad-configuration");
  EXPECT_THAT(refused.body, HasSubstr("stateway.toml:"));

  write_config(config_of({.gateway = "threads_ = 1\ndrain_timeot = 2", .services = std::string(kTwoRoutes)}));
  refused = reload();
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body,
              HasSubstr(fmt::format(R"("problems":["{0}/stateway.toml:4:1: unknown key \"threads_\")"
                                    R"( in [gateway]; did you mean \"threads\"?","{0}/stateway.toml:5:1: )",
                                    folder.path())));
  EXPECT_EQ(get("/new/echo-head").status, 404);
  EXPECT_EQ(get("/o/echo-head").status, 200);
  EXPECT_THAT(status(), AllOf(HasSubstr(R"("generation":1,)"), HasSubstr("drain_timeot")));

  gateway->signal(SIGHUP);
  eventually([&] {
    const std::string log = gateway->log();
    const std::size_t signal = log.find("SIGHUP");
    return signal != std::string::npos && log.find("drain_timeot", signal) != std::string::npos &&
           log.find("the reload was refused", signal) != std::string::npos;
  });
  EXPECT_EQ(get("/o/echo-head").status, 200);

  reload_with(config_of({.services = std::string(kTwoRoutes)}));
  EXPECT_EQ(get("/new/echo-head").status, 200);
  EXPECT_THAT(status(), HasSubstr(R"("generation":2,)"));
  EXPECT_THAT(status(), HasSubstr(R"("refused_at":null,"problems":[])"));
}

TEST_F(ReloadTest, WhatNeedsARestartIsRefusedAsAWhole) {
  start_with_origin();
  write_config(config_of({.gateway = "threads = 3", .services = std::string(kTwoRoutes)}));
  const Reply refused = reload();
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("/stateway.toml:4:11: gateway.threads takes effect at a start only"));
  EXPECT_EQ(get("/new/echo-head").status, 404);
}

TEST_F(ReloadTest, AnAddressThatCannotBeListenedOnIsRefusedAsAWhole) {
  start_with_origin();
  const std::string taken = to_string(gateway->clients());
  write_config(config_of({.services = std::string(kTwoRoutes),
                          .more = fmt::format("[[listen]]\naddress = \"unix:@DIR@/door\"\n"
                                              "[[listen]]\naddress = \"{}\"\n",
                                              taken)}));
  const Reply refused = reload();
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("stateway.toml:23:11: cannot listen on " + taken));
  EXPECT_EQ(get("/new/echo-head").status, 404);
  EXPECT_FALSE(Raw(unix_address(folder / "door")).connected());
}

TEST_F(ReloadTest, AnAddressIsAddedAndTakenAwayWhileExchangesRun) {
  const auto with_door = [](std::string_view name) {
    return config_of({.more = fmt::format("[[listen]]\naddress = \"unix:@DIR@/{}\"\n", name)});
  };
  start_origin("one");
  start(with_door("first"));
  constexpr std::string_view kAsk = "GET /o/echo-head HTTP/1.1\r\nHost: h\r\n\r\n";
  Raw stays = connect();
  EXPECT_EQ(stays.ask(kAsk).status, 200);
  Raw idle(unix_address(folder / "first"));
  EXPECT_EQ(idle.ask(kAsk).status, 200);
  Raw silent(unix_address(folder / "first"));
  Raw busy(unix_address(folder / "first"));
  begin_slow(busy);

  reload_with(with_door("second"));
  EXPECT_TRUE(idle.ended());
  EXPECT_TRUE(silent.ended());
  EXPECT_FALSE(Raw(unix_address(folder / "first")).connected());
  Raw second(unix_address(folder / "second"));
  EXPECT_EQ(second.ask(kAsk).status, 200);
  EXPECT_EQ(stays.ask(kAsk).status, 200) << "what stays is not touched";
  const Reply reply = busy.reply();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "at last");
  EXPECT_EQ(reply.field("Connection"), "close");
  EXPECT_TRUE(busy.ended());
  EXPECT_THAT(gateway->log(), HasSubstr("/second\",\"for\":\"clients\""));

  reload_with(with_door("first"));
  EXPECT_EQ(Raw(unix_address(folder / "first")).ask(kAsk).status, 200);
}

TEST_F(ReloadTest, OpenConnectionsHaveTheNewConfigurationWithTheirNextExchange) {
  start_with_origin();
  Raw raw = connect();
  const std::string long_head =
      fmt::format("GET /o/echo-head HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", std::string(2000, 'x'));
  Reply reply = raw.ask(long_head);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.field("Stateway-Instance"), "origin-1");
  reload_with(config_of({.more = "[limits]\nhead = \"1KiB\"\ntarget = \"1KiB\"\n"}));
  EXPECT_EQ(raw.ask("GET /o/echo-head HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  EXPECT_EQ(raw.ask(long_head).status, 431);
}

TEST_F(ReloadTest, TheAccessLogAndItsFormatFollow) {
  start_with_origin({.more = "[log]\naccess = false\n"});
  get("/o/echo-head", "X-Request-Id: silent\r\n");
  reload_with(config_of({.more = "[log]\nformat = \"text\"\n"}));
  get("/o/echo-head", "X-Request-Id: spoken\r\n");
  eventually([&] { return gateway->log().find(" request=spoken ") != std::string::npos; });
  EXPECT_THAT(gateway->log(), Not(HasSubstr("silent")));
}

TEST_F(ReloadTest, TheTokenOfTheAdminApiIsReadAgain) {
  const auto write_token = [this](std::string_view token) {
    std::FILE* file = std::fopen((folder / "token").c_str(), "w");
    ASSERT_NE(file, nullptr);
    fmt::print(file, "{}\n", token);
    std::fclose(file);
  };
  start_with_origin();
  write_token("abc");
  std::string config = config_of();
  config.insert(config.find("[store]"), "token_file = \"@DIR@/token\"\n");
  reload_with(config);
  EXPECT_EQ(ask_admin("/v1/status").status, 401);
  EXPECT_EQ(ask_admin("/v1/status", "Authorization: Bearer abc\r\n").status, 200);
  EXPECT_EQ(reload().status, 401);
  write_token("abd");
  EXPECT_THAT(reload("Authorization: Bearer abc\r\n").body, HasSubstr(R"(["admin token changed"])"));
  EXPECT_EQ(ask_admin("/v1/status", "Authorization: Bearer abc\r\n").status, 401);
  EXPECT_EQ(ask_admin("/v1/status", "Authorization: Bearer abd\r\n").status, 200);
}

TEST_F(ReloadTest, SessionsAndTheirNumberFollowAndNoneIsLost) {
  constexpr std::string_view kServices = R"([service.origin]
instances = ["unix:@DIR@/one"]
[[route]]
path = "/s"
service = "origin"
session = "s"
)";
  const auto with = [&](std::string_view most, std::string_view session) {
    std::string config =
        config_of({.services = std::string(kServices), .more = fmt::format("[session.s]\n{}\n", session)});
    config.insert(config.find("durability"), fmt::format("sessions_max = {}\n", most));
    return config;
  };
  start_origin("one");
  start(with("1", ""));
  const auto patch = [this](std::string_view more) { return ask("POST", "/s/patch", more, R"({"a":1})"); };
  const Reply first = patch("");
  EXPECT_EQ(first.status, 200);
  const std::string set = first.field("Set-Cookie");
  EXPECT_THAT(set, Not(HasSubstr("Max-Age")));
  EXPECT_EQ(patch("").problem(), "sessions-full");

  reload_with(with("2", "persistent = true"));
  const Reply second = patch("");
  EXPECT_EQ(second.status, 200);
  EXPECT_THAT(second.field("Set-Cookie"), HasSubstr("Max-Age"));
  const std::string cookie = fmt::format("Cookie: {}\r\n", set.substr(0, set.find(';')));
  EXPECT_THAT(get("/s/session", cookie).body, HasSubstr(R"( 1 {"a":1})"));
}

constexpr std::string_view kSupervised = R"([service.shop]
command = ["@ORIGIN@"]
socket = true
[[route]]
path = "/shop"
service = "shop"
)";
constexpr std::string_view kFixed = R"([service.shop]
instances = ["unix:@DIR@/two"]
[[route]]
path = "/shop"
service = "shop"
)";
std::string services(std::string_view shop) {
  return config_of({.services = fmt::format("{}{}", kOrigin, shop)});
}

TEST_F(ReloadTest, AServiceIsRemovedWhileAnExchangeOnItRuns) {
  start_origin("one");
  start_origin("two");
  for (const std::string_view shop : {kFixed, kSupervised}) {
    if (!gateway->running()) start(services(shop));
    reload_with(services(shop));
    Raw busy = connect();
    begin_slow(busy, "/shop", 500);
    const std::size_t before = gateway->log().size();
    reload_with(services(""));
    EXPECT_EQ(get("/shop/echo-head").status, 404);
    EXPECT_THAT(ask_admin("/v1/services").body, Not(HasSubstr("shop")));
    EXPECT_EQ(busy.reply().body, "at last");
    eventually([&] { return gateway->log().find(R"("service":"shop"})", before) != std::string::npos; });
  }
  eventually([&] { return gateway->processes().size() == 2; });  // itself and its guardian
}

TEST_F(ReloadTest, AChangedCommandIsRolledOutAndTheAnswersKeepComing) {
  const auto with = [](std::string_view command) {
    std::string shop(kSupervised);
    shop.replace(shop.find("[\"@ORIGIN@\"]"), 12, command);
    shop.insert(shop.find("socket"), "count = 2\n");
    return services(shop);
  };
  start_origin("one");
  start(with(R"(["@ORIGIN@"])"));
  const auto pids = [this] {
    std::vector<pid_t> out;
    for (const lab::InstanceInfo& i : instances())
      if (i.name.starts_with("shop") && i.state == "up") out.push_back(i.pid);
    return out;
  };
  eventually([&] { return pids().size() == 2; });
  const std::vector<pid_t> before = pids();
  Raw busy = connect();
  begin_slow(busy, "/shop", 500);
  reload_with(with(R"(["@ORIGIN@", "new"])"));
  eventually([&] {
    EXPECT_EQ(get("/shop/echo-head").status, 200);
    const std::vector<pid_t> now = pids();
    return now.size() == 2 && now[0] != before[0] && now[1] != before[1];
  });
  EXPECT_EQ(busy.reply().body, "at last");
}

TEST_F(ReloadTest, AProcessOfARemovedServiceHasTheDrainTimeout) {
  start_origin("one");
  start(services(kSupervised));
  Raw busy = connect();
  begin_slow(busy, "/shop", 20'000);
  reload_with(services(""));
  eventually([&] { return gateway->processes().size() == 2; });
  EXPECT_EQ(busy.reply().status / 100, 5);
}

TEST_F(ReloadTest, WhileItStopsNothingIsReloaded) {
  start_with_origin({.gateway = "", .more = ""});
  Raw busy = connect();
  begin_slow(busy, "/o", 900);
  gateway->signal(SIGTERM);
  eventually([&] { return ask_admin("/readyz").status == 503; });
  EXPECT_EQ(reload().status, 503);
  gateway->signal(SIGHUP);
  eventually([&] { return gateway->log().find("nothing is reloaded") != std::string::npos; });
  EXPECT_EQ(busy.reply().status, 200);
}

TEST_F(ReloadTest, AStopDoesNotWaitForAServiceThatDoesNotComeUp) {
  start_with_origin();
  write_config(services(kFixed));  // nobody listens there
  Raw raw(gateway->admin());
  raw.send(fmt::format("POST /v1/reload HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\r\n",
                       to_string(gateway->admin())));
  eventually([&] { return gateway->log().find("reloading") != std::string::npos; });
  gateway->signal(SIGTERM);
  const auto exit = gateway->wait(5s);
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->status, 0);
}

TEST_F(ReloadTest, ManyAtOnceTakeTurns) {
  start_with_origin();
  std::vector<Raw> callers;
  for (int i = 0; i < 20; ++i) {
    callers.emplace_back(gateway->admin());
    callers.back().send(
        fmt::format("POST /v1/reload HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n"
                    "Connection: close\r\n\r\n",
                    to_string(gateway->admin())));
    gateway->signal(SIGHUP);
  }
  for (Raw& caller : callers) EXPECT_EQ(caller.reply("POST").status, 200);
  EXPECT_EQ(get("/o/echo-head").status, 200);
}

TEST_F(ReloadTest, AWebSocketStaysOpenAlthoughItsRouteItsServiceAndItsAddressGo) {
  start_origin("one");
  start_origin("two");
  start(config_of({.services = fmt::format("{}{}", kOrigin, kFixed),
                   .more = "[[listen]]\naddress = \"unix:@DIR@/door\"\n"}));
  Raw tunnel(unix_address(folder / "door"));
  const Reply opened = tunnel.ask(
      "GET /shop/ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  EXPECT_EQ(opened.status, 101);
  for (const std::string_view shop : {kFixed, std::string_view(), kFixed, std::string_view()}) {
    reload_with(services(shop));
    EXPECT_TRUE(tunnel.send("hello"));
    EXPECT_EQ(tunnel.read(5), "hello");
  }
}

}  // namespace
}  // namespace stateway::scenario
