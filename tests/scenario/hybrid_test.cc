// placement = "hybrid" with real processes: sessions are warm where they are, and move when instances come
// and go.
#include <algorithm>
#include <map>
#include <set>

#include "base/bytes.h"
#include "cart_load.h"
#include "sticky.h"

namespace stateway::scenario {
namespace {

class Hybrid : public StickySite {
 protected:
  void begin(std::string_view gateway = "drain_timeout = \"5m\"") {
    std::string config = cart_config({.replay = "re-execute", .placement = "hybrid"});
    config.insert(config.find('\n') + 1, fmt::format("{}\n", gateway));
    start(config);
    wait_until_all_are_up();
    for (Browser& browser : browsers) add(browser);
  }
  /// One more piece of bread; the answer tells how many there are.
  void add(Browser& browser) {
    const Reply reply = browse(browser, "POST", "/api/cart/items", R"({"id":"bread","name":"Bread"})");
    EXPECT_EQ(reply.status, 201) << reply.body;
    const int expected = ++added[&browser];
    EXPECT_EQ(reply.body, fmt::format("{{\"name\":\"Bread\",\"n\":{}}}\n", expected));
  }
  void add_everywhere() {
    for (Browser& browser : browsers) add(browser);
  }
  std::map<std::string, unsigned> served() const {
    std::map<std::string, unsigned> out;
    for (const Browser& browser : browsers) ++out[browser.instance];
    return out;
  }

  std::vector<Browser> browsers{40};
  std::map<const Browser*, int> added;
};

TEST_F(Hybrid, EachSessionIsWarmAtOneInstance) {
  begin();
  const auto before = browsers;
  for (int i = 0; i < 3; ++i) add_everywhere();
  for (std::size_t i = 0; i < browsers.size(); ++i) EXPECT_EQ(browsers[i].instance, before[i].instance);
  EXPECT_EQ(served().size(), 3u);
  EXPECT_EQ(status_number("documents_spared"), 3 * browsers.size());
  EXPECT_EQ(status_number("documents_needed"), 0u);
}

TEST_F(Hybrid, ANewProcessIsSentTheDocument) {
  begin();
  for (const lab::InstanceInfo& instance : instances()) {
    kill_instance(instance.pid);
    eventually([&] { return std::ranges::count(instances(), instance.pid, &lab::InstanceInfo::pid) == 0; });
    wait_until_all_are_up();
    add_everywhere();
  }
  add_everywhere();
  const std::uint64_t before = status_number("documents_spared");
  add_everywhere();
  EXPECT_EQ(status_number("documents_spared") - before, browsers.size());
}

TEST_F(Hybrid, SessionsSpreadOverNewInstancesAtOnce) {
  begin();
  add_everywhere();
  EXPECT_EQ(command("POST", "/v1/services/shop/scale", R"({"count":6})").status, 202);
  eventually([&] { return instances().size() == 6; });
  wait_until_all_are_up();
  const std::vector<Browser> before = browsers;
  add_everywhere();
  // Where a session belongs is drawn with its id: no six instances are so unlucky with 400 more of them.
  std::set<std::string> used;
  for (const auto& [name, sessions] : served()) used.insert(name);
  std::vector<Browser> more(400);
  for (std::size_t i = 0; i < more.size() && used.size() < 6; ++i) {
    add(more[i]);
    used.insert(more[i].instance);
  }
  EXPECT_EQ(used.size(), 6u) << testing::PrintToString(used);
  const std::set<std::string> old = {"shop-1", "shop-2", "shop-3"};
  for (std::size_t i = 0; i < browsers.size(); ++i)
    EXPECT_TRUE(!old.contains(browsers[i].instance) || browsers[i].instance == before[i].instance)
        << "those that need not move stay";
}

TEST_F(Hybrid, ADrainIsOverAsSoonAsWhatRunsIs) {
  begin();
  EXPECT_EQ(command("POST", "/v1/services/shop/instances/shop-1/drain").status, 200);
  add_everywhere();
  EXPECT_FALSE(served().contains("shop-1"));
  EXPECT_EQ(command("POST", "/v1/services/shop/instances/shop-1/undrain").status, 200);
  add_everywhere();
  EXPECT_TRUE(served().contains("shop-1"));

  EXPECT_EQ(command("POST", "/v1/services/shop/scale", R"({"count":1})").status, 202);
  eventually([&] { return instances().size() == 1; });  // although they might take five minutes
  add_everywhere();
}

TEST_F(Hybrid, NothingIsHeldWithoutMemoryForIt) {
  begin("hybrid_memory = \"0\"");
  add_everywhere();
  EXPECT_EQ(status_number("documents_spared"), 0u);
}

TEST_F(Hybrid, ARoutesOwnAffinityGoesFirst) {
  std::string config = cart_config({.replay = "re-execute", .placement = "hybrid"});
  config.insert(config.find("replay = "), "affinity = \"query:table\"\n");
  start(config);
  wait_until_all_are_up();
  std::set<std::string> used, without_key;
  for (Browser& browser : browsers) {
    for (int i = 0; i < 2; ++i)
      EXPECT_EQ(browse(browser, "POST", "/api/cart/items?table=4", R"({"id":"bread","name":"x"})").status,
                201);
    used.insert(browser.instance);
    EXPECT_EQ(browse(browser, "GET", "/api/cart").status, 200);
    without_key.insert(browser.instance);
  }
  EXPECT_EQ(used.size(), 1u);
  EXPECT_GT(without_key.size(), 1u);
}

class HybridLoad : public Hybrid {
 protected:
  /// What happens under load, beside the kills of instances.
  io::Task<void> scale_up_and_down(Lab& lab) {
    for (const char* count : {"5", "2", "4", "3"}) {
      // tidy: sleep: the load runs meanwhile.
      co_await io::sleep_for(lab.loop, 1200ms);
      auto stream = co_await lab.network.connect(gateway->admin(), lab.loop.now() + 5s);
      if (!stream) co_return;
      wire::Client client(std::move(*stream), {});
      const std::string host = to_string(gateway->admin());
      const wire::ClientRequest request{.method = "POST",
                                        .target = "/v1/services/shop/scale",
                                        .host = host,
                                        .fields = {{"Content-Type", "application/json"}},
                                        .body = fmt::format(R"({{"count":{}}})", count)};
      const auto response = co_await client.exchange(request, lab.loop.now() + 30s);
      EXPECT_TRUE(response.has_value() && response->status == 202);
      ++scaled;
    }
  }
  unsigned scaled = 0;
};

TEST_F(HybridLoad, NothingIsLostWhileSessionsMove) {
  browsers.clear();
  begin("drain_timeout = \"10s\"");
  Lab lab;
  lab::LoadOptions options = cart_load(gateway->clients());
  CartWorkload workload;
  lab::Load load(lab.loop, lab.network, options, workload);
  lab::ServiceTargets targets(lab.loop, lab.network, gateway->admin(), "shop");
  SeededRandom random(setting("STATEWAY_SCENARIO_SEED", 1));
  lab::Killer killer(lab.loop, targets, random, {.every = 1000ms, .freeze = 50ms});
  io::TaskGroup killing;
  killing.spawn(killer.run());
  const lab::LoadReport report = play(lab, load, scale_up_and_down(lab));
  killing.cancel_all();
  EXPECT_EQ(report.ok, report.turns()) << testing::PrintToString(workload.refusals());
  EXPECT_EQ(scaled, 4u);
  EXPECT_GT(killer.kills(), 2u);
  const std::uint64_t spared = status_number("documents_spared"), needed = status_number("documents_needed");
  std::cout << fmt::format("{} documents spared, {} needed\n", spared, needed);
  EXPECT_GT(spared, report.turns() / 4);
  expect_carts_as_promised(gateway->clients(), load, options.clients, workload);
}

}  // namespace
}  // namespace stateway::scenario
