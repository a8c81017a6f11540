// lane = "serial" where two gateways serve one session: the turn is one in both.
#include <fmt/format.h>

#include <deque>
#include <set>

#include "base/bytes.h"
#include "fleet.h"
#include "redis_server.h"

namespace stateway::scenario {
namespace {

class FleetLanes : public Fleet {
 protected:
  std::string store() const {
    return fmt::format("kind = \"redis\"\nurl = \"redis://{}\"", redis_.address());
  }

  Raw send(Front& front, std::string_view cookie, std::string_view target, std::string_view body) {
    Raw raw = front.connect();
    raw.send(
        fmt::format("POST {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nCookie: {}\r\n"
                    "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                    target, cookie, body.size(), body));
    return raw;
  }
  /// Requests that the one origin has had.
  std::uint64_t served() { return parse_decimal(fronts[1].get("/o/count").body).value_or(0); }

 private:
  stores::RedisServer redis_;
};

TEST_F(FleetLanes, EachIsGivenWhatTheOneBeforeCommittedWhereverItRan) {
  start(cart_config({.store = store(), .key_file = keys(), .session = "lane = \"serial\"", .instances = 2}));
  for (Front& front : fronts) front.wait_until_all_are_up();
  constexpr std::string_view kTarget = "/api/cart/items", kItem = R"({"id":"tea","name":"Tea"})";
  Browser browser;
  EXPECT_EQ(fronts[0].browse(browser, "POST", kTarget, kItem).status, 201);
  std::deque<Raw> sent;
  constexpr int kMany = 60;
  for (int i = 1; i < kMany; ++i)
    sent.push_back(send(fronts[static_cast<std::size_t>(i % 2)], browser.cookie, kTarget, kItem));
  std::multiset<std::string> expected, found;
  for (int n = 2; n <= kMany; ++n) expected.insert(fmt::format("{{\"name\":\"Tea\",\"n\":{}}}\n", n));
  for (Raw& raw : sent) found.insert(raw.reply().body);
  EXPECT_EQ(found, expected) << "each counts on from the one before";
  EXPECT_EQ(counted("overlaps"), 0u);
  EXPECT_EQ(counted("reruns"), 0u);
  EXPECT_EQ(counted("lane_waiting"), 0u);
}

// One origin that both gateways know, so that a request may wait in it when its gateway dies.
std::string held_config(std::string_view store, std::string_view keys) {
  return fmt::format(R"([gateway]
debug_headers = true
key_file = "{}"
[log]
access = false
[[listen]]
address = "@CLIENTS@"
[admin]
address = "@ADMIN@"
[store]
{}
[session.q]
placement = "store"
lane = "serial"
[service.origin]
instances = ["unix:@SHARED@/origin"]
timeout = {{ connect = "10s" }}
[[route]]
path = "/o"
service = "origin"
[[route]]
path = "/q"
service = "origin"
session = "q"
)",
                     keys, store);
}

TEST_F(FleetLanes, AGatewayThatDiesInItsTurnHoldsTheOtherUpForTheLeaseAlone) {
  const auto origin = lab::Program::start({.words = {origin_binary()},
                                           .environment = {{"SOCKET", shared / "origin"}},
                                           .output_file = shared / "origin.log"});
  ASSERT_TRUE(origin.has_value());
  start(with_shared(held_config(store(), keys())));
  Browser browser;
  EXPECT_EQ(fronts[0].browse(browser, "POST", "/q/patch", R"({"order":[]})").status, 200);
  const std::uint64_t before = served();
  Raw lost =
      send(fronts[0], browser.cookie, "/q/patch?hold=1", R"([{"op":"add","path":"/order/-","value":1}])");
  eventually([&] { return served() == before + 1; });
  Raw next = send(fronts[1], browser.cookie, "/q/patch", R"([{"op":"add","path":"/order/-","value":2}])");
  eventually([&] { return fronts[1].status_number("lane_waiting") == 1; });
  EXPECT_EQ(served(), before + 1) << "the turn is another gateway's";
  fronts[0].gateway->kill();
  EXPECT_EQ(next.reply().status, 200);
  fronts[0].restart();
  for (Front& front : fronts)
    EXPECT_THAT(front.browse(browser, "GET", "/q/session").body, testing::EndsWith(R"({"order":[2]})"));
}

}  // namespace
}  // namespace stateway::scenario
