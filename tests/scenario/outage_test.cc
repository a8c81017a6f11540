// The session store goes away under a gateway that keeps a journal, and comes back.
#include <fmt/format.h>

#include "cart_load.h"
#include "redis_server.h"

namespace stateway::scenario {
namespace {

constexpr std::string_view kItems = "/api/cart/items", kTea = R"({"id":"tea","name":"Tea"})";

class Outage : public Site {
 protected:
  void start_with_journal() {
    start(
        cart_config({.store = fmt::format("kind = \"redis\"\nurl = \"redis://{}\"\non_outage = \"journal\"\n"
                                          "journal = \"@DIR@/journal\"",
                                          redis.address()),
                     .instances = 1}));
    wait_until_all_are_up();
  }
  /// Polled: what the store gets, it gets in the background.
  void expect_an_empty_journal(Duration limit) {
    eventually([&] { return status_number("pending") == 0; }, limit);
  }
  std::string cart(Browser& browser) { return browse(browser, "GET", "/api/cart").body; }

  stores::RedisServer redis{{.directives = {"appendonly yes", "appendfsync always"}}};
};

// Kills the server in the middle of a load, and starts it again.
io::Task<void> lose_server(Lab& lab, stores::RedisServer& redis, Duration away, TimePoint& back) {
  // tidy: sleep: the load runs meanwhile.
  co_await io::sleep_for(lab.loop, 2s);
  redis.kill();
  // tidy: sleep: so does the outage.
  co_await io::sleep_for(lab.loop, away);
  redis.start_only();
  back = lab.loop.now();
}

TEST_F(Outage, NoRequestOfAKnownSessionFailsAndNothingIsLost) {
  const auto away = std::chrono::seconds(setting("STATEWAY_SCENARIO_OUTAGE", 4));
  start_with_journal();
  Lab lab;
  CartWorkload workload;
  lab::LoadOptions options = cart_load(gateway->clients());
  options.duration = away + 5s;
  options.exchange_timeout = 20s;
  lab::Load load(lab.loop, lab.network, options, workload);
  TimePoint back{};
  const lab::LoadReport report = play(lab, load, lose_server(lab, redis, away, back));
  EXPECT_NE(back, TimePoint{}) << "the load ended before the outage";
  EXPECT_EQ(report.ok, report.turns()) << testing::PrintToString(workload.refusals());
  expect_an_empty_journal(10s);
  EXPECT_GT(status_number("replayed"), 0u);
  EXPECT_EQ(status_number("overlapped") + status_number("dropped"), 0u);
  expect_carts_as_promised(gateway->clients(), load, options.clients, workload);
}

TEST_F(Outage, AGatewayKilledInTheMiddleGoesOnWithWhatWasWrittenSince) {
  start_with_journal();
  Browser written, read;
  ASSERT_EQ(browse(written, "POST", kItems, kTea).status, 201);
  ASSERT_EQ(browse(read, "POST", kItems, kTea).status, 201);
  redis.kill();
  const Reply here = browse(written, "POST", kItems, kTea);
  EXPECT_EQ(here.status, 201);
  EXPECT_EQ(here.field("Stateway-Commit"), "local");
  EXPECT_EQ(browse(read, "GET", "/api/cart").status, 200);
  Browser begun;
  EXPECT_EQ(browse(begun, "POST", kItems, kTea).status, 201);
  EXPECT_EQ(ask_admin("/readyz").status, 200);
  EXPECT_NE(status_number("pending"), 0u);

  gateway->kill();
  restart();
  wait_until_all_are_up();
  EXPECT_EQ(browse(written, "POST", kItems, kTea).status, 201);
  EXPECT_THAT(cart(written), testing::HasSubstr(R"("n":3)"));
  EXPECT_THAT(cart(begun), testing::HasSubstr(R"("n":1)"));
  const Reply unknown = browse(read, "POST", kItems, kTea);
  EXPECT_EQ(unknown.status, 503);
  EXPECT_EQ(unknown.problem(), "store-unavailable");
  EXPECT_TRUE(unknown.has("Retry-After"));
  EXPECT_FALSE(unknown.has("Set-Cookie"));

  redis.start();
  expect_an_empty_journal(10s);
  eventually([&] { return browse(read, "GET", "/api/cart").status == 200; });
  EXPECT_THAT(cart(read), testing::HasSubstr(R"("n":1)"));
  EXPECT_THAT(cart(written), testing::HasSubstr(R"("n":3)"));
  EXPECT_THAT(cart(begun), testing::HasSubstr(R"("n":1)"));
  const Reply stored = browse(written, "POST", kItems, kTea);
  EXPECT_EQ(stored.status, 201);
  EXPECT_FALSE(stored.has("Stateway-Commit"));
}

TEST_F(Outage, AGatewayStartsWhileTheServerIsSilent) {
  start_with_journal();
  Browser browser;
  ASSERT_EQ(browse(browser, "POST", kItems, kTea).status, 201);
  redis.freeze();
  EXPECT_EQ(browse(browser, "POST", kItems, kTea).field("Stateway-Commit"), "local");
  gateway->kill();
  restart();
  wait_until_all_are_up();
  EXPECT_EQ(browse(browser, "POST", kItems, kTea).status, 201);
  redis.thaw();
  eventually([&] { return status_number("pending") == 0; });
  EXPECT_THAT(cart(browser), testing::HasSubstr(R"("n":3)"));
}

TEST_F(Outage, AServerThatComesBackWithNothingGetsTheLastMinuteAgain) {
  start_with_journal();
  Browser browser;
  for (int i = 0; i < 3; ++i) ASSERT_EQ(browse(browser, "POST", kItems, kTea).status, 201);
  redis.must({"FLUSHALL"});
  EXPECT_THAT(cart(browser), testing::HasSubstr(R"("n":3)"));
  EXPECT_EQ(browse(browser, "POST", kItems, kTea).status, 201);
  EXPECT_THAT(cart(browser), testing::HasSubstr(R"("n":4)"));
  EXPECT_EQ(status_number("recovered"), 3u);
}

TEST_F(Outage, WhatWaitsForOneStoreReachesNoOther) {
  start_with_journal();
  Browser browser;
  ASSERT_EQ(browse(browser, "POST", kItems, kTea).status, 201);
  redis.freeze();
  ASSERT_EQ(browse(browser, "POST", kItems, kTea).field("Stateway-Commit"), "local");
  gateway->kill();
  redis.thaw();

  stores::RedisServer other;
  const std::string config = lab::read_file(folder / "stateway.toml");
  const auto refused = [&](std::string_view from, std::string_view to, std::string_view why) {
    std::string changed = config;
    write_config(changed.replace(changed.find(from), from.size(), to));
    const Ended ended = run_stateway(folder, {"run", "-c", folder / "stateway.toml"});
    EXPECT_EQ(ended.status, 2) << ended.output;
    EXPECT_THAT(ended.output, testing::HasSubstr(why));
  };
  refused(redis.address(), other.address(), "has 1 changes that wait for redis " + redis.address());

  write_config(config);
  restart();
  expect_an_empty_journal(10s);
  EXPECT_THAT(cart(browser), testing::HasSubstr(R"("n":2)"));
}

TEST_F(Outage, AJournalThatCannotBeWrittenKeepsTheGatewayFromStarting) {
  const std::string config = cart_config(
      {.store = fmt::format(
           "kind = \"redis\"\nurl = \"redis://{}\"\non_outage = \"journal\"\njournal = \"/proc/x\"",
           redis.address())});
  write_config(config);
  const Ended ended = run_stateway(folder, {"run", "-c", folder / "stateway.toml"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.output, testing::HasSubstr("cannot create the journal's folder /proc/x"));
}

}  // namespace
}  // namespace stateway::scenario
