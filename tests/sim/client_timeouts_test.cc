// Every time-out that a client can run into, as a pair: at half of it the gateway still waits, when it is
// over the wait has ended as it should.
#include "io/sim/certificates.h"
#include "rig.h"

namespace stateway::sim {
namespace {

constexpr std::string_view kShort = R"(
[limits]
head_timeout = "4s"
client_idle = "6s"
[service.web]
instances = ["10.0.1.1:9001"]
)";
constexpr Duration kHead = 4s;
constexpr Duration kIdle = 6s;
constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kEmptyAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

TEST(ClientTimeouts, HeadTimeoutUntilTheFirstOctet) {
  in_rig(kShort, [](Rig& rig) -> io::Task<void> {
    auto client = co_await rig.connect();
    co_await rig.pass(kHead / 2);
    EXPECT_FALSE(client->ended());
    co_await rig.pass(kHead / 2 + kMoment);
    EXPECT_TRUE(client->ended());
    EXPECT_EQ(client->got(), "");
    EXPECT_EQ(rig.gateway->leftovers(), "");
  });
}

TEST(ClientTimeouts, HeadTimeoutFromTheFirstOctetToTheLast) {
  in_rig(kShort, [](Rig& rig) -> io::Task<void> {
    auto client = co_await rig.ask("GET / HTTP/1.1\r\nHo");
    co_await rig.pass(kHead / 2);
    co_await client->send("st: a\r\nX: ");  // moves nothing: a head has one deadline
    EXPECT_EQ(client->got(), "");
    co_await rig.pass(kHead / 2 + kMoment);
    EXPECT_TRUE(has(*client, "HTTP/1.1 408 ")) << client->got();
    EXPECT_TRUE(has(*client, "problem:head-timeout"));
    EXPECT_TRUE(client->ended());
  });
}

TEST(ClientTimeouts, HeadTimeoutForATlsHandshake) {
  const auto stalls = [](Rig& rig) -> io::Task<void> {
    auto client = co_await rig.ask(std::string("\x16\x03\x01\x02\x00", 5));
    co_await rig.pass(kHead / 2);
    co_await client->send(std::string("\x01\x00", 2));  // moves nothing
    EXPECT_FALSE(client->ended());
    co_await rig.pass(kHead / 2 + kMoment);
    EXPECT_TRUE(client->ended());
    EXPECT_EQ(client->got(), "");
    EXPECT_EQ(rig.gateway->leftovers(), "");
  };
  const auto with_tls = [](config::Config& config) {
    const io::TestCertificate made = io::TestAuthority().issue({"a.example"});
    config.listen.front().tls = gateway::TlsOptions{made.certificate, Secret(made.key)};
  };
  in_rig(kShort, stalls, with_tls);
}

TEST(ClientTimeouts, ClientIdleBetweenExchanges) {
  in_rig(kShort, [](Rig& rig) -> io::Task<void> {
    Origin origin(rig.machine, kInstance);
    auto client = co_await rig.ask(std::string(kGet));
    co_await rig.pass(kMoment);
    co_await origin.asked()->send(std::string(kEmptyAnswer));
    co_await rig.pass(kIdle / 2);
    EXPECT_TRUE(has(*client, "HTTP/1.1 200 "));
    EXPECT_FALSE(client->ended());
    co_await rig.pass(kIdle / 2 + kMoment);
    EXPECT_TRUE(client->ended());
    EXPECT_FALSE(client->broken());
  });
}

TEST(ClientTimeouts, ClientIdleInARequestBodyMovesWithEachOctet) {
  in_rig(kShort, [](Rig& rig) -> io::Task<void> {
    Origin origin(rig.machine, kInstance);
    auto client = co_await rig.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    co_await rig.pass(kIdle / 2);
    co_await client->send("d");
    co_await rig.pass(kIdle * 3 / 4);
    EXPECT_FALSE(client->ended());
    EXPECT_TRUE(has(*origin.asked(), "\r\n\r\nabcd"));
    EXPECT_FALSE(origin.asked()->ended());
    co_await rig.pass(kIdle / 4 + kMoment);
    EXPECT_TRUE(has(*client, "HTTP/1.1 408 ")) << client->got();
    EXPECT_TRUE(has(*client, "problem:body-timeout"));
    EXPECT_TRUE(origin.asked()->ended());  // nobody takes the part for the whole
  });
}

TEST(ClientTimeouts, ClientIdleForAnAnswerThatIsNotRead) {
  in_rig(kShort, [](Rig& rig) -> io::Task<void> {
    Origin origin(rig.machine, kInstance);
    auto client = co_await rig.ask(std::string(kGet), false);
    co_await rig.pass(kMoment);
    io::TaskGroup sending;
    sending.spawn(origin.asked()->send("HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n" +
                                       std::string(4'000'000, 'x')));
    co_await rig.pass(kIdle / 2);
    EXPECT_EQ(rig.gateway->counters().exchanges, 1u);
    EXPECT_FALSE(client->stream().hung_up());
    co_await rig.pass(kIdle / 2 + kMoment);
    EXPECT_EQ(rig.gateway->leftovers(), "");
    EXPECT_TRUE(client->stream().hung_up());
    EXPECT_TRUE(origin.asked()->ended());
  });
}

TEST(ClientTimeouts, ClientIdleForAProblemThatIsNotRead) {
  in_rig(kShort, [](Rig& rig) -> io::Task<void> {
    rig.network.set_faults({.buffer_min = 100, .buffer_max = 100});
    auto client = co_await rig.ask(std::string(kGet), false);  // nobody serves it: 503
    co_await rig.pass(1s + kMoment);
    co_await rig.pass(kIdle / 2);
    EXPECT_EQ(rig.gateway->counters().exchanges, 1u);
    co_await rig.pass(kIdle / 2 + kMoment);
    EXPECT_EQ(rig.gateway->leftovers(), "");
  });
}

TEST(ClientTimeouts, ClientIdleForAnInterimAnswerThatIsNotRead) {
  in_rig(kShort, [](Rig& rig) -> io::Task<void> {
    Origin origin(rig.machine, kInstance);
    co_await rig.pass(kMoment);
    rig.network.set_faults({.buffer_min = 100, .buffer_max = 100});
    auto client = co_await rig.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", false);
    co_await rig.pass(kMoment);
    io::TaskGroup sending;
    sending.spawn(origin.asked()->send("HTTP/1.1 103 Early Hints\r\nLink: <" + std::string(1000, 'x') +
                                       ">\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    co_await rig.pass(kIdle / 2);
    EXPECT_EQ(rig.gateway->counters().exchanges, 1u);
    co_await rig.pass(kIdle / 2 + kMoment);
    // A part of the interim answer is out: whatever followed it would be read as its rest.
    EXPECT_EQ(rig.gateway->leftovers(), "");
    std::string got;
    std::array<char, 4096> buffer;
    for (;;) {
      const auto n = co_await client->stream().read_some(buffer, rig.loop.now() + 1s);
      if (!n || *n == 0) break;
      got.append(buffer.data(), *n);
    }
    EXPECT_TRUE(has(got, "103 Early Hints"));
    EXPECT_FALSE(has(got, "200 OK"));
  });
}

TEST(ClientTimeouts, LingerAfterAnAnswerWhoseRequestWasNotRead) {
  in_rig(kShort, [](Rig& rig) -> io::Task<void> {
    auto client = co_await rig.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
    co_await rig.pass(1s + kMoment);  // nobody serves it
    EXPECT_TRUE(has(*client, "HTTP/1.1 503 "));
    EXPECT_TRUE(client->ended());  // the gateway's side …
    co_await rig.pass(500ms);
    EXPECT_EQ(rig.gateway->counters().connections, 1u);  // … and ours for another second
    co_await rig.pass(500ms + kMoment);
    EXPECT_EQ(rig.gateway->counters().connections, 0u);
  });
}

TEST(ClientTimeouts, DrainTimeout) {
  in_rig(kShort, [](Rig& rig) -> io::Task<void> {
    Origin origin(rig.machine, kInstance);
    auto idle = co_await rig.connect();
    auto busy = co_await rig.ask(std::string(kGet));
    co_await rig.pass(kMoment);
    EXPECT_NE(origin.asked(), nullptr);
    io::TaskGroup draining;
    draining.spawn(rig.gateway->drain());
    co_await rig.pass(15s);
    EXPECT_TRUE(idle->ended());
    EXPECT_FALSE(busy->ended());
    EXPECT_EQ(draining.running(), 1u);
    co_await rig.pass(15s + kMoment);
    EXPECT_TRUE(busy->ended());
    EXPECT_EQ(draining.running(), 0u);
    EXPECT_EQ(rig.gateway->leftovers(), "");
  });
}

}  // namespace
}  // namespace stateway::sim
