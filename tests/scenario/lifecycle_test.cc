// How the gateway ends: politely, and not at all politely.
#include <fmt/format.h>
#include <signal.h>

#include "base/bytes.h"
#include "site.h"

namespace stateway::scenario {
namespace {

using testing::IsEmpty;
using testing::Not;

class Lifecycle : public Site {
 protected:
  // Waits until the origin is busy with a request.
  void wait_until_served(std::uint64_t n) {
    eventually([&] { return parse_decimal(get("/o/count").body).value_or(0) >= n; });
  }
};

TEST_F(Lifecycle, ATermSignalLetsWhatIsInFlightEndAndClosesWhatIsIdle) {
  start(origin_config());
  Raw idle = connect();
  EXPECT_EQ(idle.ask("GET /o/echo-head HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  Raw silent = connect();
  Raw busy = connect();
  busy.send("GET /o/slow?ms=800 HTTP/1.1\r\nHost: h\r\n\r\n");
  wait_until_served(2);

  gateway->signal(SIGTERM);
  EXPECT_TRUE(idle.ended());
  EXPECT_TRUE(silent.ended());
  eventually([&] { return !connect().connected(); });
  const Reply reply = busy.reply();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "at last");
  EXPECT_EQ(reply.field("Connection"), "close");
  EXPECT_TRUE(busy.ended());
  stop();
}

TEST_F(Lifecycle, WhileItDrainsItIsNotReady) {
  start(origin_config());
  Raw busy = connect();
  busy.send("GET /o/slow?ms=1500 HTTP/1.1\r\nHost: h\r\n\r\n");
  wait_until_served(1);
  gateway->signal(SIGTERM);
  eventually([&] { return ask_admin("/readyz").status == 503; });
  EXPECT_EQ(ask_admin("/healthz").status, 200);
  EXPECT_EQ(busy.reply().status, 200);
  stop();
}

TEST_F(Lifecycle, AfterTheDrainTimeoutWhatIsStillInFlightIsCut) {
  std::string config = origin_config();
  config.insert(config.find("debug_headers"), "drain_timeout = \"300ms\"\n");
  start(config);
  Raw busy = connect();
  busy.send("GET /o/slow?ms=20000 HTTP/1.1\r\nHost: h\r\n\r\n");
  wait_until_served(1);
  stop();
  EXPECT_THAT(busy.read_to_end(), IsEmpty());
}

TEST_F(Lifecycle, AnAnswerThatIsCutDoesNotLookWhole) {
  std::string config = origin_config();
  config.insert(config.find("debug_headers"), "drain_timeout = \"300ms\"\n");
  start(config);
  Raw busy = connect();  // HTTP/1.0: the end of the connection is the end of the body
  busy.send("GET /o/bytes?n=100000000&chunked=1 HTTP/1.0\r\nHost: h\r\n\r\n");
  EXPECT_EQ(busy.read(1000).size(), 1000u);
  stop();
  busy.read_to_end();
  EXPECT_TRUE(busy.was_reset());
}

TEST_F(Lifecycle, AnIntSignalDrainsToo) {
  start(origin_config());
  gateway->signal(SIGINT);
  const auto exit = gateway->wait(20s);
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->status, 0);
  EXPECT_EQ(exit->signal, 0);
  expect_nothing_left();
}

TEST_F(Lifecycle, NoProcessStaysWhenTheGatewayIsKilled) {
  start(cart_config({}));
  wait_until_all_are_up();
  EXPECT_GE(gateway->processes().size(), 4u);
  gateway->kill();
  expect_nothing_left();
}

TEST_F(Lifecycle, AKilledInstanceIsStartedAgain) {
  start(cart_config({}));
  wait_until_all_are_up();
  const pid_t victim = instances()[1].pid;
  kill_instance(victim);
  eventually([&] {
    const auto now = instances()[1];
    return now.pid != 0 && now.pid != victim && now.state == "up";
  });
}

TEST_F(Lifecycle, OutputOfInstancesIsLoggedWithTheirName) {
  start(cart_config({}));
  wait_until_all_are_up();
  eventually([&] {
    const std::string log = gateway->log();
    const std::size_t at = log.find("cart: listening on unix:");
    if (at == std::string::npos) return false;
    const std::size_t begin = log.rfind('\n', at) + 1;
    return log.substr(begin, log.find('\n', at) - begin).find("shop-") != std::string::npos;
  });
}

}  // namespace
}  // namespace stateway::scenario
