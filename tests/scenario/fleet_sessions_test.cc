// What one gateway does to a session, another one that knows the session follows at once.
#include <fmt/format.h>

#include "base/bytes.h"
#include "fleet.h"
#include "redis_server.h"

namespace stateway::scenario {
namespace {

using testing::HasSubstr;

constexpr std::string_view kItems = "/api/cart/items", kTea = R"({"id":"tea","name":"Tea"})";

class FleetSessions : public Fleet, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    start(cart_config({.placement = GetParam(),
                       .store = fmt::format("kind = \"redis\"\nurl = \"redis://{}\"", redis_.address()),
                       .key_file = keys(),
                       .instances = 1}));
    for (Front& front : fronts) front.wait_until_all_are_up();
  }

  std::string cart(Front& front, Browser browser) { return front.browse(browser, "GET", "/api/cart").body; }

  /// A session that began at the first gateway and that both know.
  Browser browser_of_both() {
    Browser browser;
    EXPECT_EQ(fronts[0].browse(browser, "POST", kItems, kTea).status, 201);
    EXPECT_EQ(fronts[1].browse(browser, "POST", kItems, kTea).status, 201);
    for (Front& front : fronts) EXPECT_THAT(cart(front, browser), HasSubstr(R"("n":2)"));
    return browser;
  }
  static std::string id_in(const std::string& cart) {
    const std::string_view name = R"("session":")";
    const std::size_t at = cart.find(name) + name.size();
    return cart.substr(at, cart.find('"', at) - at);
  }
  static Reply command(Front& front, std::string_view method, std::string_view target) {
    Raw raw(front.gateway->admin());
    return raw.ask(
        fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\n"
                    "Content-Length: 0\r\n\r\n",
                    method, target, to_string(front.gateway->admin())));
  }
  /// It must not take longer than a second; a sanitizer makes everything slower.
  static Duration soon() { return is_sanitized() ? 5s : 1s; }

 private:
  stores::RedisServer redis_;
};

TEST_P(FleetSessions, OneThatWasEndedAtOneGatewayIsRefusedAtTheOther) {
  Browser browser = browser_of_both();
  const std::string id = id_in(cart(fronts[1], browser));
  EXPECT_EQ(command(fronts[0], "DELETE", "/v1/sessions/" + id).status, 204);
  for (Front* front : {&fronts[1], &fronts[0]}) {
    eventually([&] { return cart(*front, browser).find("tea") == std::string::npos; }, soon());
    EXPECT_NE(id_in(cart(*front, browser)), id);
  }
  // A late change does not bring it back.
  Browser late = browser;
  EXPECT_EQ(fronts[1].browse(late, "POST", kItems, kTea).status, 201);
  EXPECT_THAT(cart(fronts[0], late), HasSubstr(R"("n":1)"));
  EXPECT_NE(late.cookie, browser.cookie);
}

TEST_P(FleetSessions, AnyGatewayServesAnyExchange) {
  Browser browser;
  constexpr int kMany = 40;
  for (int i = 0; i < kMany; ++i)
    EXPECT_EQ(fronts[static_cast<std::size_t>(i % 3 % 2)].browse(browser, "POST", kItems, kTea).status, 201);
  for (Front& front : fronts) EXPECT_THAT(cart(front, browser), HasSubstr(fmt::format(R"("n":{})", kMany)));
}

TEST_P(FleetSessions, KeysRotatedAtOneGatewayAreKnownToTheOther) {
  const Browser browser = browser_of_both();
  const Reply rotated = command(fronts[0], "POST", "/v1/keys/rotate");
  EXPECT_EQ(rotated.status, 200) << rotated.body;
  const std::string_view name = R"("added":")";
  const std::size_t at = rotated.body.find(name) + name.size();
  const std::string added = rotated.body.substr(at, rotated.body.find('"', at) - at);
  eventually([&] { return fronts[1].ask_admin("/v1/keys").body.find(added) != std::string::npos; }, soon());
  for (Front& front : fronts) EXPECT_THAT(cart(front, browser), HasSubstr(R"("n":2)"));
}

INSTANTIATE_TEST_SUITE_P(Placements, FleetSessions, testing::Values("client", "store", "hybrid"),
                         [](const auto& of) { return std::string(of.param); });

}  // namespace
}  // namespace stateway::scenario
