// One service for all placements: the cart, and the example of adapters/cpp/README.md, unchanged on each of
// them, and from one to the other while the gateway runs.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "base/bytes.h"
#include "cart_load.h"
#include "sticky.h"

namespace stateway::scenario {
namespace {

using testing::HasSubstr;

class CppAdapter : public StickySite {
 protected:
  void add(Browser& browser, std::string_view id, std::string_view name = "x") {
    const Reply reply =
        browse(browser, "POST", "/api/cart/items", fmt::format(R"({{"id":"{}","name":"{}"}})", id, name));
    EXPECT_EQ(reply.status, 201) << reply.body;
  }
  std::string cart(Browser& browser) { return browse(browser, "GET", "/api/cart").body; }
  static std::string on(std::string_view placement) {
    return cart_config({.replay = "re-execute", .placement = placement});
  }
  void kill_all_instances() {
    for (const lab::InstanceInfo& instance : instances()) kill_instance(instance.pid);
    wait_until_all_are_up();
  }
};

constexpr std::string_view kPlacements[] = {"client", "store", "hybrid", "instance"};

TEST_F(CppAdapter, TheCartIsTheSameOnEachPlacement) {
  for (const std::string_view placement : kPlacements) {
    start(on(placement));
    wait_until_all_are_up();
    Browser browser, other;
    EXPECT_THAT(cart(browser), HasSubstr(R"("items":{},"version":0)")) << placement;
    add(browser, "bread", "Brötchen");
    add(browser, "milk");
    add(browser, "bread", "Brötchen");
    add(other, "eggs");
    EXPECT_THAT(cart(browser), HasSubstr(R"("bread":{"name":"Brötchen","n":2})")) << placement;
    EXPECT_EQ(browse(browser, "DELETE", "/api/cart/items/bread").status, 200) << placement;
    EXPECT_EQ(browse(browser, "DELETE", "/api/cart/items/bread").status, 404) << placement;
    EXPECT_THAT(cart(browser), HasSubstr(R"("items":{"milk":{"name":"x","n":1}})")) << placement;
    EXPECT_THAT(cart(other), HasSubstr(R"("items":{"eggs":{"name":"x","n":1}})")) << placement;
    stop();
  }
}

// It reads a number and writes the next: at once, that needs turns.
TEST_F(CppAdapter, WithTurnsParallelIncrementsAllCount) {
  for (const std::string_view placement : kPlacements) {
    std::string config = on(placement);
    config.insert(config.find("[service.shop]"), "lane = \"serial\"\n");
    start(config);
    wait_until_all_are_up();
    Browser browser;
    add(browser, "bread");
    constexpr std::string_view kBody = R"({"id":"bread","name":"x"})";
    std::vector<Raw> sent;
    for (int i = 0; i < 49; ++i) {
      sent.push_back(connect());
      sent.back().send(
          fmt::format("POST /api/cart/items HTTP/1.1\r\nHost: h\r\nConnection: close\r\nCookie: {}\r\n"
                      "Content-Length: {}\r\n\r\n{}",
                      browser.cookie, kBody.size(), kBody));
    }
    for (Raw& raw : sent) EXPECT_EQ(raw.reply().status, 201) << placement;
    EXPECT_THAT(cart(browser), HasSubstr(R"("bread":{"name":"x","n":50})")) << placement;
    EXPECT_EQ(status_number("reruns"), 0u) << placement;
    stop();
  }
}

TEST_F(CppAdapter, CartsLeaveTheirInstancesWhenThePlacementChanges) {
  for (const std::string_view placement : {"store", "client", "hybrid"}) {
    start(on("instance"));
    wait_until_all_are_up();
    std::vector<Browser> browsers(12);
    std::set<std::string> answered;
    std::vector<std::string> ids;
    for (Browser& browser : browsers) {
      add(browser, "bread");
      answered.insert(browser.instance);
      ids.push_back(cart(browser).substr(cart(browser).find("\"session\"")));
    }
    EXPECT_GT(answered.size(), 1u);
    reload_with(on(placement));
    for (std::size_t i = 0; i < browsers.size(); ++i) {
      if (i % 2 == 0) add(browsers[i], "milk");  // and the others come to look
      EXPECT_THAT(cart(browsers[i]), HasSubstr("bread"));
      EXPECT_THAT(cart(browsers[i]), HasSubstr(ids[i])) << "the id stays";
    }
    kill_all_instances();
    for (std::size_t i = 0; i < browsers.size(); ++i) {
      EXPECT_THAT(cart(browsers[i]), HasSubstr(R"("bread":{"name":"x","n":1})")) << placement;
      if (i % 2 == 0) EXPECT_THAT(cart(browsers[i]), HasSubstr("milk"));
    }
    stop();
  }
}

TEST_F(CppAdapter, ACartTooLargeForAHeaderLeavesItsInstanceByTheSessionUrl) {
  start(on("instance"));
  Browser browser;
  const std::string name(100, 'x');
  for (int i = 0; i < 600; ++i) add(browser, fmt::format("item-{}", i), name);
  reload_with(on("store"));
  add(browser, "last");
  EXPECT_GT(cart(browser).size(), 64u * 1024);
  kill_all_instances();
  EXPECT_THAT(cart(browser), HasSubstr("item-0\""));
  EXPECT_THAT(cart(browser), HasSubstr("item-599\""));
  EXPECT_THAT(cart(browser), HasSubstr("last"));
}

TEST_F(CppAdapter, WithHybridDocumentsStayWithTheProcessThatHoldsThem) {
  start(on("hybrid"));
  wait_until_all_are_up();
  std::vector<Browser> browsers(8);
  const std::string name(100, 'x');
  for (int i = 0; i < 20; ++i)
    for (Browser& browser : browsers) add(browser, fmt::format("item-{}", i), name);
  // All but the first request of each session, and what load made go elsewhere.
  EXPECT_GT(status_number("documents_spared"), 100u);
  EXPECT_EQ(status_number("documents_needed"), 0u);
  kill_all_instances();
  for (Browser& browser : browsers) {
    EXPECT_THAT(cart(browser), HasSubstr(R"("version":20)"));
    add(browser, "item-0", name);
    EXPECT_THAT(cart(browser), HasSubstr(R"("n":2)"));
  }
}

TEST_F(CppAdapter, ADocumentMayFillTheHeader) {
  std::string config = on("store");
  config.insert(config.find("[service.shop]"), "inline_max = \"64KiB\"\n");
  start(config);
  Browser browser;
  const std::string name(100, 'x');
  for (int i = 0; i < 400; ++i) add(browser, fmt::format("item-{}", i), name);
  EXPECT_GT(cart(browser).size(), 48u * 1024);
  EXPECT_THAT(cart(browser), HasSubstr("item-399\""));
}

io::Task<void> switch_once(Lab& lab, const Address& admin, bool& switched) {
  // tidy: sleep: the load runs before and after.
  co_await io::sleep_for(lab.loop, 2s);
  co_await reload_by(lab, admin);
  switched = true;
}

TEST_F(CppAdapter, NoItemIsMissingWhenCartsLeaveTheirInstancesUnderLoad) {
  start(on("instance"));
  wait_until_all_are_up();
  Lab lab;
  CartWorkload workload;
  const lab::LoadOptions options = cart_load(gateway->clients());
  lab::Load load(lab.loop, lab.network, options, workload);
  write_config(on("store"));
  bool switched = false;
  const lab::LoadReport report = play(lab, load, switch_once(lab, gateway->admin(), switched));
  EXPECT_TRUE(switched);
  EXPECT_EQ(report.ok, report.turns()) << testing::PrintToString(workload.refusals());
  kill_all_instances();
  expect_carts_as_promised(gateway->clients(), load, options.clients, workload);
}

TEST_F(CppAdapter, TheExampleOfTheReadmeCountsOnEachPlacement) {
  const auto config = [](std::string_view placement) {
    std::string out = fmt::format(R"([gateway]
key_file = "@DIR@/keys"
[[listen]]
address = "@CLIENTS@"
[admin]
address = "@ADMIN@"
[store]
path = "@DIR@/state"
[session.visits]
placement = "{}"
lane = "serial"
[service.counter]
command = ["{}"]
count = 2
health = {{ interval = "100ms", timeout = "2s", rise = 1 }}
[[route]]
path = "/"
service = "counter"
session = "visits"
)",
                                  placement, README_EXAMPLE);
    return out;
  };
  start(config("instance"));
  Browser browser;
  int visits = 0;
  for (const std::string_view placement : {"instance", "client", "hybrid", "store", "client"}) {
    reload_with(config(placement));
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(browse(browser, "POST", "/").body, fmt::format("visit {}\n", ++visits)) << placement;
  }
}

std::vector<std::string> settings(const std::string& file) {
  std::ifstream in(file);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);)
    if (!line.starts_with('#')) out.push_back(line);
  return out;
}

TEST(Examples, TheCartsInMemoryAreOneLine) {
  const std::string file = EXAMPLE_CONFIG;
  const auto store = settings(file);
  const auto memory = settings(file.substr(0, file.rfind('/')) + "/memory.toml");
  ASSERT_EQ(store.size(), memory.size());
  std::vector<std::string> differ;
  for (std::size_t i = 0; i < store.size(); ++i)
    if (store[i] != memory[i]) differ.push_back(memory[i]);
  ASSERT_EQ(differ.size(), 1u);
  EXPECT_THAT(differ[0], testing::StartsWith("placement = \"instance\""));
}

}  // namespace
}  // namespace stateway::scenario
