// Placement "instance": services that keep sessions in their own memory.
#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "cart_load.h"
#include "lab/program.h"
#include "sticky.h"

namespace stateway::scenario {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

constexpr const char* kSealed = "[A-Za-z0-9_-]{159}";

/// Carts in their instances' memory. `service` has instances or command.
std::string memory_cart(std::string_view service, std::string_view session = "",
                        std::string_view gateway = "") {
  return fmt::format(R"([gateway]
debug_headers = true
key_file = "@DIR@/keys"
{}
[log]
access = false
[[listen]]
address = "@CLIENTS@"
[admin]
address = "@ADMIN@"
[store]
path = "@DIR@/state"
[session.cart]
placement = "instance"
{}
[service.shop]
health = {{ path = "/healthz", interval = "100ms", timeout = "2s", rise = 1 }}
timeout = {{ connect = "10s" }}
{}
[[route]]
path = "/"
service = "shop"
session = "cart"
)",
                     gateway, session, service);
}

constexpr std::string_view kSupervised = "command = [\"@CART@\"]\ncount = 3\nsocket = true";

class StickyTest : public StickySite {
 protected:
  void add(Browser& browser, std::string_view id) {
    const Reply reply =
        browse(browser, "POST", "/api/cart/items", fmt::format(R"({{"id":"{}","name":"x"}})", id));
    EXPECT_EQ(reply.status, 201) << reply.body;
  }
  std::string cart(Browser& browser) { return browse(browser, "GET", "/api/cart").body; }

  pid_t pid_of(std::string_view name) {
    for (const lab::InstanceInfo& i : instances())
      if (i.name == name) return i.pid;
    return 0;
  }
  std::string state_of(std::string_view name) {
    for (const lab::InstanceInfo& i : instances())
      if (i.name == name) return i.state;
    return "";
  }
  /// Until then a request may be on its way to it, and its outcome unknown.
  void kill_and_see_it(const std::string& name) {
    const pid_t pid = pid_of(name);
    kill_instance(pid);
    eventually([&] { return pid_of(name) != pid; });
  }
  /// One browser with a cart at each of `count` instances.
  std::vector<Browser> one_at_each(std::size_t count) {
    std::vector<Browser> out;
    std::set<std::string> known;
    eventually([&] {
      Browser browser;
      add(browser, "bread");
      if (known.insert(browser.instance).second) out.push_back(browser);
      return known.size() == count;
    });
    return out;
  }
};

TEST_F(StickyTest, ClientsComeBackToTheInstanceThatKnowsThem) {
  start(memory_cart(kSupervised));
  wait_until_all_are_up();
  for (Browser& browser : one_at_each(3)) {
    EXPECT_THAT(browser.cookie, MatchesRegex(fmt::format("cart={}", kSealed)));
    const std::string home = browser.instance;
    const std::string cookie = browser.cookie;
    for (int i = 0; i < 10; ++i) {
      add(browser, fmt::format("item{}", i));
      EXPECT_EQ(browser.instance, home);
      EXPECT_EQ(browser.cookie, cookie) << "an unchanged cookie is not sent again";
    }
    EXPECT_THAT(cart(browser), HasSubstr("bread"));
    EXPECT_THAT(cart(browser), HasSubstr("item9"));
  }
  struct stat about{};
  ASSERT_EQ(stat((folder / "keys").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
}

TEST_F(StickyTest, WhenTheInstanceDiesAnotherSessionBeginsElsewhere) {
  start(memory_cart(kSupervised));
  wait_until_all_are_up();
  std::vector<Browser> browsers = one_at_each(3);
  kill_and_see_it(browsers[0].instance);
  const std::string before = browsers[0].cookie;
  add(browsers[0], "milk");
  EXPECT_NE(browsers[0].cookie, before);
  EXPECT_THAT(cart(browsers[0]), HasSubstr("milk"));
  EXPECT_THAT(cart(browsers[0]), Not(HasSubstr("bread"))) << "the memory is gone";
  for (Browser* other : {&browsers[1], &browsers[2]}) EXPECT_THAT(cart(*other), HasSubstr("bread"));
  wait_until_all_are_up();
  Browser old{.cookie = before, .instance = ""};
  EXPECT_THAT(cart(old), Not(HasSubstr("bread"))) << "the new process knows nothing of it";
}

TEST_F(StickyTest, OrItFailsWhereThePolicySaysSo) {
  start(memory_cart(kSupervised, "on_lost_instance = \"fail\""));
  wait_until_all_are_up();
  std::vector<Browser> browsers = one_at_each(3);
  kill_and_see_it(browsers[0].instance);
  for (int i = 0; i < 2; ++i) {
    const Reply lost = browse(browsers[0], "POST", "/api/cart/items", R"({"id":"milk","name":"x"})");
    EXPECT_EQ(lost.status, 503);
    EXPECT_EQ(lost.problem(), "instance-lost");
    EXPECT_TRUE(lost.has("Retry-After"));
    EXPECT_FALSE(lost.has("Set-Cookie")) << "the cookie stays as it is";
    wait_until_all_are_up();
  }
  EXPECT_THAT(cart(browsers[1]), HasSubstr("bread"));
  Browser fresh;
  add(fresh, "milk");
}

// What takes an instance out: it keeps its clients for drain_timeout, and gets no new ones.
class StickyDrain : public StickyTest {
 protected:
  void drain(std::string_view target, std::string_view body, int status) {
    start(memory_cart(kSupervised, "", "drain_timeout = \"6s\""));
    wait_until_all_are_up();
    browsers = one_at_each(3);
    std::ranges::sort(browsers, {}, &Browser::instance);
    Browser& last = browsers[2];
    ASSERT_EQ(last.instance, "shop-3");
    EXPECT_EQ(command("POST", target, body).status, status);
    EXPECT_EQ(state_of("shop-3"), "draining");
    add(last, "milk");
    EXPECT_EQ(last.instance, "shop-3");
    for (int i = 0; i < 6; ++i) {
      Browser fresh;
      add(fresh, "bread");
      EXPECT_NE(fresh.instance, "shop-3") << "no new sessions";
    }
  }
  /// The drain is over.
  void expect_the_last_one_lost() {
    Browser& last = browsers[2];
    const std::string before = last.cookie;
    EXPECT_THAT(cart(last), Not(HasSubstr("milk")));
    EXPECT_NE(last.cookie, before) << "then on_lost_instance decides";
    for (Browser* other : {&browsers[0], &browsers[1]}) EXPECT_THAT(cart(*other), HasSubstr("bread"));
  }

  std::vector<Browser> browsers;
};

TEST_F(StickyDrain, ARestartedInstanceKeepsItsClientsUntilTheDrainEnds) {
  drain("/v1/services/shop/instances/shop-3/restart", "", 202);
  eventually([&] { return state_of("shop-3") == "up"; });
  expect_the_last_one_lost();
}

TEST_F(StickyDrain, SoDoesOneThatLeaves) {
  drain("/v1/services/shop/scale", R"({"count":2})", 202);
  eventually([&] { return instances().size() == 2; });
  expect_the_last_one_lost();
}

TEST_F(StickyDrain, AndOneThatAnOperatorDrains) {
  drain("/v1/services/shop/instances/shop-3/drain", "", 200);
  eventually([&] {
    Browser copy = browsers[2];
    return !cart(copy).contains("milk");  // its process goes on, and nobody comes any more
  });
  expect_the_last_one_lost();
  EXPECT_EQ(command("POST", "/v1/services/shop/instances/shop-3/undrain").status, 200);
}

TEST_F(StickyTest, ADrainEndsEarlyWhenItsClientsAreIdle) {
  start(memory_cart(kSupervised, "idle = \"1s\"", "drain_timeout = \"5m\""));
  wait_until_all_are_up();
  Browser browser;
  add(browser, "bread");
  const pid_t old = pid_of(browser.instance);
  EXPECT_EQ(command("POST", fmt::format("/v1/services/shop/instances/{}/restart", browser.instance)).status,
            202);
  eventually([&] { return pid_of(browser.instance) != old && state_of(browser.instance) == "up"; });
}

class StickyLoad : public StickyTest {
 protected:
  /// Carts that run whatever the gateway does, at unix:@DIR@/cart-N.sock.
  void start_carts(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string socket = folder / fmt::format("cart-{}.sock", carts.size());
      auto cart =
          lab::Program::start({.words = {cart_binary()},
                               .environment = {{"SOCKET", socket}, {"CART_JOURNAL", folder / "journal"}},
                               .output_file = folder / "carts"});
      ASSERT_TRUE(cart.has_value());
      carts.push_back(std::move(*cart));
    }
  }
  std::string at_fixed_addresses() const {
    std::string out;
    for (std::size_t i = 0; i < carts.size(); ++i)
      out += fmt::format("{}\"unix:@DIR@/cart-{}.sock\"", i == 0 ? "" : ", ", i);
    return "instances = [" + out + "]";
  }

  Lab lab;
  CartWorkload workload;
  std::vector<std::unique_ptr<lab::Program>> carts;
  std::uint64_t rounds_done = 0;
};

TEST_F(StickyLoad, SessionsAtFixedInstancesSurviveTheGateway) {
  start_carts(3);
  start(memory_cart(at_fixed_addresses()));
  const std::uint64_t rounds = 2;
  lab::LoadOptions options = cart_load(gateway->clients());
  options.exchange_timeout = 10s;
  lab::Load load(lab.loop, lab.network, options, workload);
  const lab::LoadReport report =
      play(lab, load, kill_again_and_again(lab, *gateway, [this] { restart(false); }, rounds, rounds_done));
  EXPECT_EQ(rounds_done, rounds);
  EXPECT_GT(report.ok, report.turns() / 4) << testing::PrintToString(workload.refusals());
  expect_carts_as_promised(gateway->clients(), load, options.clients, workload);
}

TEST_F(StickyLoad, NewInstancesLeaveTheClientsOfTheOthersAlone) {
  start_carts(2);
  start(memory_cart(at_fixed_addresses()));
  std::vector<Browser> browsers = one_at_each(2);
  stop();
  start_carts(2);
  start(memory_cart(at_fixed_addresses()));
  for (Browser& browser : browsers) EXPECT_THAT(cart(browser), HasSubstr("bread"));
  EXPECT_EQ(one_at_each(4).size(), 4u) << "and the new ones get new clients";
}

TEST_F(StickyLoad, UnderLoadKilledInstancesCostOnlyWhatWasSentToThem) {
  // The route may say what is right for other placements: here nothing is sent twice.
  start(memory_cart(kSupervised) + "replay = \"re-execute\"\n");
  wait_until_all_are_up();
  lab::Load load(lab.loop, lab.network, cart_load(gateway->clients()), workload);
  lab::ServiceTargets targets(lab.loop, lab.network, gateway->admin(), "shop");
  SeededRandom random(setting("STATEWAY_SCENARIO_SEED", 1));
  lab::Killer killer(lab.loop, targets, random, {.every = 1s, .freeze = 50ms});
  const lab::LoadReport report = play(lab, load, killer.run());
  EXPECT_GT(killer.kills(), 0u);
  for (const auto& [answer, times] : workload.refusals()) EXPECT_EQ(answer, "502 outcome-unknown") << times;
  EXPECT_EQ(report.indeterminate + report.not_sent, 0u);
  const std::size_t arrived = expect_each_change_arrived_once(lab::read_file(folder / "journal"));
  EXPECT_GE(arrived, report.ok);
}

}  // namespace
}  // namespace stateway::scenario
