// Every time-out that an instance can run the gateway into, as a pair: at half of it the gateway still waits,
// when it is over the wait has ended as it should.
#include "rig.h"

namespace stateway::sim {
namespace {

using upstream::State;

constexpr std::string_view kWeb = R"(
[service.web]
instances = ["10.0.1.1:9001"]
retry = { attempts = 1 }
timeout = { connect = "2s", response = "8s", idle = "6s" }
)";
constexpr Duration kConnect = 2s;
constexpr Duration kResponse = 8s;
constexpr Duration kIdle = 6s;
const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kPost = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
const std::string kEmptyAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

State state_of(Rig& rig, std::size_t instance = 0) {
  return rig.gateway->service().roster()->instances[instance]->state();
}

// Half of `whole` passes in which the client hears nothing, and then the rest.
io::Task<void> pair(Rig& rig, Peer& client, Duration whole, std::string_view status,
                    std::string_view problem) {
  co_await rig.pass(whole / 2);
  EXPECT_EQ(client.got(), "");
  EXPECT_FALSE(client.ended());
  co_await rig.pass(whole / 2 + kMoment);
  EXPECT_TRUE(has(client, status)) << client.got();
  EXPECT_TRUE(has(client, problem)) << client.got();
  EXPECT_EQ(rig.gateway->counters().exchanges, 0u);
}

TEST(ServiceTimeouts, ConnectToAMachineThatIsGone) {
  in_rig(kWeb, [](Rig& rig) -> io::Task<void> {
    Origin origin(rig.machine, kInstance);
    co_await rig.pass(kMoment);
    EXPECT_EQ(state_of(rig), State::up);
    rig.machine.vanish();
    auto client = co_await rig.ask(kPost);
    co_await pair(rig, *client, kConnect, "HTTP/1.1 504 ", "problem:connect-timeout");
  });
}

TEST(ServiceTimeouts, ConnectTimeoutsInARowTakeAnInstanceOut) {
  in_rig(kWeb, [](Rig& rig) -> io::Task<void> {
    Origin origin(rig.machine, kInstance);
    co_await rig.pass(kMoment);
    rig.machine.vanish();
    for (unsigned i = 0; i < upstream::Instance::kConnectTimeoutsMax; ++i) {
      EXPECT_EQ(state_of(rig), State::up);
      auto client = co_await rig.ask(kGet);
      co_await rig.pass(kConnect + kMoment);
    }
    EXPECT_EQ(state_of(rig), State::down);
  });
}

TEST(ServiceTimeouts, QueueWhileNobodyIsUp) {
  in_rig(kWeb, [](Rig& rig) -> io::Task<void> {
    co_await rig.pass(kMoment);
    EXPECT_EQ(state_of(rig), State::down);
    auto client = co_await rig.ask(kPost);
    co_await pair(rig, *client, kConnect, "HTTP/1.1 503 ", "problem:no-instance");
  });
}

TEST(ServiceTimeouts, QueueWhileEverybodyIsBusy) {
  in_rig(
      R"(
[service.web]
instances = ["10.0.1.1:9001"]
timeout = { connect = "2s", response = "8s" }
)",
      [](Rig& rig) -> io::Task<void> {
        Origin origin(rig.machine, kInstance);
        co_await rig.pass(kMoment);
        auto first = co_await rig.ask(kPost);
        co_await rig.pass(kMoment);
        auto second = co_await rig.ask(kPost);
        co_await rig.pass(kConnect / 2);
        EXPECT_EQ(second->got(), "");
        EXPECT_EQ(rig.gateway->service().waiting(), 1u);
        co_await rig.pass(kConnect / 2 + kMoment);
        EXPECT_TRUE(has(*second, "problem:no-instance"));
        EXPECT_EQ(rig.gateway->service().waiting(), 0u);
        EXPECT_EQ(first->got(), "");
      },
      [](config::Config& c) { c.services[0].concurrency_per_instance = 1; });
}

constexpr std::string_view kSupervised = R"(
[service.web]
command = ["started by hand"]
timeout = { connect = "2s" }
)";

TEST(ServiceTimeouts, QueueWhileAProcessStarts) {
  in_rig(kSupervised, [](Rig& rig) -> io::Task<void> {
    auto client = co_await rig.ask(kPost);
    co_await pair(rig, *client, upstream::kStartAllowance, "HTTP/1.1 503 ", "problem:no-instance");
  });
}

TEST(ServiceTimeouts, AProcessThatDoesNotAnswerAfterItsStart) {
  in_rig(kSupervised, [](Rig& rig) -> io::Task<void> {
    rig.gateway->service().roster()->instances[0]->process_started(
        1, {.address = kInstance, .token = nullptr}, 1);
    co_await rig.pass(upstream::kStartAllowance / 2);
    EXPECT_EQ(state_of(rig), State::starting);
    co_await rig.pass(upstream::kStartAllowance / 2 + 1s);  // and until the next check
    EXPECT_EQ(state_of(rig), State::down);
  });
}

TEST(ServiceTimeouts, ResponseToASafeRequest) {
  in_rig(kWeb, [](Rig& rig) -> io::Task<void> {
    Origin origin(rig.machine, kInstance);
    auto client = co_await rig.ask(kGet);
    co_await pair(rig, *client, kResponse, "HTTP/1.1 504 ", "problem:response-timeout");
    EXPECT_TRUE(origin.asked()->ended());
  });
}

TEST(ServiceTimeouts, ResponseToAnUnsafeRequest) {
  in_rig(kWeb, [](Rig& rig) -> io::Task<void> {
    Origin origin(rig.machine, kInstance);
    auto client = co_await rig.ask(kPost);
    co_await pair(rig, *client, kResponse, "HTTP/1.1 502 ", "problem:outcome-unknown");
  });
}

TEST(ServiceTimeouts, ResponseRunsFromTheEndOfTheBody) {
  in_rig(kWeb, [](Rig& rig) -> io::Task<void> {
    Origin origin(rig.machine, kInstance);
    auto client = co_await rig.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nhi");
    co_await rig.pass(5s);
    co_await client->send("ho");
    co_await rig.pass(kMoment);
    EXPECT_TRUE(has(*origin.asked(), "hiho"));
    co_await pair(rig, *client, kResponse, "HTTP/1.1 502 ", "problem:outcome-unknown");
  });
}

TEST(ServiceTimeouts, ResponseWhoseHeadStops) {
  in_rig(kWeb, [](Rig& rig) -> io::Task<void> {
    Origin origin(rig.machine, kInstance);
    auto client = co_await rig.ask(kGet);
    co_await rig.pass(kMoment);
    co_await origin.asked()->send("HTTP/1.1 200 O");
    co_await pair(rig, *client, kResponse, "HTTP/1.1 504 ", "problem:response-timeout");
  });
}

TEST(ServiceTimeouts, ResponseOfAnInstanceThatDoesNotReadTheHead) {
  in_rig(kWeb, [](Rig& rig) -> io::Task<void> {
    Origin origin(rig.machine, kInstance, false);
    co_await rig.pass(kMoment);
    rig.network.set_faults({.buffer_min = 1000, .buffer_max = 1000});
    auto client = co_await rig.ask("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(9000, 'x') + "\r\n\r\n");
    co_await rig.pass(kMoment);
    co_await pair(rig, *client, kResponse, "HTTP/1.1 504 ", "problem:response-timeout");
  });
}

TEST(ServiceTimeouts, ResponseTimeoutAsksAnotherInstance) {
  in_rig(R"(
[service.web]
instances = ["10.0.1.1:9001", "10.0.1.1:9002"]
timeout = { response = "8s" }
)",
         [](Rig& rig) -> io::Task<void> {
           Origin one(rig.machine, kInstance);
           Origin two(rig.machine, {.host = "10.0.1.1", .port = 9002});
           co_await rig.pass(kMoment);
           auto client = co_await rig.ask(kGet);
           co_await rig.pass(kResponse / 2);
           const bool began_with_one = one.asked() != nullptr;
           Origin& other = began_with_one ? two : one;
           EXPECT_EQ(other.asked(), nullptr);
           co_await rig.pass(kResponse / 2 + kMoment);
           EXPECT_NE(other.asked(), nullptr);
           if (other.asked() == nullptr) co_return;
           EXPECT_TRUE(has(*other.asked(), "Stateway-Attempt: 2\r\n"));
           co_await other.asked()->send(kEmptyAnswer);
           co_await rig.pass(kMoment);
           EXPECT_TRUE(has(*client, "HTTP/1.1 200 "));
         });
}

TEST(ServiceTimeouts, PauseBeforeTheSameInstanceIsAskedAgain) {
  in_rig(R"(
[service.web]
instances = ["10.0.1.1:9001"]
)",
         [](Rig& rig) -> io::Task<void> {
           Origin origin(rig.machine, kInstance);
           co_await rig.pass(kMoment);
           auto client = co_await rig.ask(kGet);
           co_await rig.pass(kMoment);
           Peer* const first = origin.asked();
           first->shutdown();  // no answer
           co_await rig.pass(upstream::kRepeatPause / 2);
           EXPECT_EQ(origin.asked(), first);
           co_await rig.pass(upstream::kRepeatPause / 2 + kMoment);
           EXPECT_NE(origin.asked(), first);
           EXPECT_TRUE(has(*origin.asked(), "Stateway-Attempt: 2\r\n"));
         });
}

TEST(ServiceTimeouts, IdleInAResponseBody) {
  in_rig(kWeb, [](Rig& rig) -> io::Task<void> {
    Origin origin(rig.machine, kInstance);
    auto client = co_await rig.ask(kGet);
    co_await rig.pass(kMoment);
    co_await origin.asked()->send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    co_await rig.pass(kIdle * 3 / 4);
    co_await origin.asked()->send("d");  // each octet is a new beginning
    co_await rig.pass(kIdle / 2);
    EXPECT_TRUE(has(*client, "\r\n\r\nabcd"));
    EXPECT_FALSE(client->ended());
    co_await rig.pass(kIdle / 2 + kMoment);
    EXPECT_TRUE(client->broken());  // nobody takes the part for the whole
    EXPECT_TRUE(origin.asked()->ended());
  });
}

TEST(ServiceTimeouts, IdleOfAnInstanceThatDoesNotReadTheBody) {
  in_rig(R"(
[service.web]
instances = ["10.0.1.1:9001"]
timeout = { response = "2s", idle = "6s" }
)",
         [](Rig& rig) -> io::Task<void> {
           Origin origin(rig.machine, kInstance, false);
           co_await rig.pass(kMoment);
           io::TaskGroup sending;
           auto client = co_await rig.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n");
           sending.spawn(client->send(std::string(4'000'000, 'x')));
           co_await pair(rig, *client, kIdle, "HTTP/1.1 502 ", "problem:outcome-unknown");
         });
}

TEST(ServiceTimeouts, IdleOfAPooledConnection) {
  in_rig(kWeb, [](Rig& rig) -> io::Task<void> {
    Origin origin(rig.machine, kInstance);
    auto client = co_await rig.ask(kGet);
    co_await rig.pass(kMoment);
    co_await origin.asked()->send(kEmptyAnswer);
    co_await rig.pass(kIdle / 2);
    const auto& instance = *rig.gateway->service().roster()->instances[0];
    EXPECT_EQ(rig.gateway->service_on_loop().idle_connections(instance), 1u);
    EXPECT_FALSE(origin.asked()->ended());
    co_await rig.pass(kIdle / 2 + kMoment);
    EXPECT_EQ(rig.gateway->service_on_loop().idle_connections(instance), 0u);
    EXPECT_TRUE(origin.asked()->ended());
  });
}

TEST(ServiceTimeouts, IdleOfATunnelInBothDirections) {
  in_rig(kWeb, [](Rig& rig) -> io::Task<void> {
    Origin origin(rig.machine, kInstance);
    auto client = co_await rig.ask(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    co_await rig.pass(kMoment);
    co_await origin.asked()->send(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    co_await rig.pass(kIdle * 3 / 4);
    co_await client->send("ping");  // one direction keeps both
    co_await rig.pass(kIdle / 2);
    EXPECT_TRUE(has(*client, "HTTP/1.1 101 "));
    EXPECT_TRUE(has(*origin.asked(), "ping"));
    EXPECT_FALSE(client->ended());
    co_await rig.pass(kIdle / 2 + kMoment);
    EXPECT_TRUE(client->ended());
    EXPECT_TRUE(origin.asked()->ended());
    EXPECT_EQ(rig.gateway->leftovers(), "");
  });
}

// Answers health checks while `well`; says nothing otherwise.
io::Task<void> be_checked(Rig& rig, Origin& origin, const bool& well) {
  std::size_t seen = 0;
  for (;;) {
    co_await rig.pass(1ms);
    for (; seen < origin.peers().size() && well; ++seen) {
      co_await rig.pass(2ms);
      if (has(*origin.peers()[seen], "GET /healthz"))
        co_await origin.peers()[seen]->send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    }
  }
}

TEST(ServiceTimeouts, HealthIntervalTimeoutFallAndRise) {
  in_rig(R"(
[service.web]
instances = ["10.0.1.1:9001"]
health = { path = "/healthz", interval = "10s", timeout = "4s", fall = 2, rise = 2 }
)",
         [](Rig& rig) -> io::Task<void> {
           bool well = true;
           Origin origin(rig.machine, kInstance);
           io::TaskGroup checks;
           checks.spawn(be_checked(rig, origin, well));
           co_await rig.pass(1s);
           EXPECT_EQ(state_of(rig), State::up);
           EXPECT_EQ(origin.peers().size(), 1u);
           co_await rig.pass(5s);  // half of the interval
           EXPECT_EQ(origin.peers().size(), 1u);
           co_await rig.pass(5s);
           EXPECT_EQ(origin.peers().size(), 2u);
           well = false;
           co_await rig.pass(9s + 2s);  // the next check, half of its time-out
           EXPECT_EQ(origin.peers().size(), 3u);
           EXPECT_FALSE(origin.peers()[2]->ended());
           co_await rig.pass(2s + kMoment);
           EXPECT_TRUE(origin.peers()[2]->ended());
           EXPECT_EQ(state_of(rig), State::up);  // half of `fall`
           co_await rig.pass(10s + 4s + kMoment);
           EXPECT_EQ(state_of(rig), State::down);
           EXPECT_EQ(origin.peers().size(), 4u);
           well = true;
           co_await rig.pass(10s + kMoment);
           EXPECT_EQ(origin.peers().size(), 5u);
           EXPECT_EQ(state_of(rig), State::down);  // half of `rise`
           co_await rig.pass(10s + kMoment);
           EXPECT_EQ(state_of(rig), State::up);
         });
}

}  // namespace
}  // namespace stateway::sim
