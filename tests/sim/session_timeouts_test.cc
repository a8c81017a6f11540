// Every time-out of sessions and of the session URL, as a pair: at half of it still there or still waiting,
// when it is over ended as it should.
#include "rig.h"

namespace stateway::sim {
namespace {

constexpr std::string_view kWeb = R"(
[service.web]
instances = ["10.0.1.1:9001"]
)";
constexpr std::string_view kPatched =
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nStateway-Session-Patch: {\"n\":1}\r\n\r\n";

std::string get(std::string_view cookie) {
  return "GET /s HTTP/1.1\r\nHost: a\r\nCookie: " + std::string(cookie) + "\r\n\r\n";
}

std::string cookie_in(const std::string& got) {
  constexpr std::string_view kField = "Set-Cookie: ";
  const std::size_t at = got.find(kField);
  if (at == std::string::npos) return {};
  return got.substr(at + kField.size(), got.find(';', at) - at - kField.size());
}

// One exchange on a connection of its own; the answer of the service is `answer`. Returns what the service
// was sent, and gives the client's answer.
io::Task<std::string> exchange(Rig& rig, Origin& origin, std::string request, std::string_view answer,
                               std::string* answered = nullptr) {
  auto client = co_await rig.ask(std::move(request));
  co_await rig.pass(kMoment);
  Peer* const asked = origin.asked();
  EXPECT_NE(asked, nullptr);
  if (asked == nullptr) co_return std::string();
  co_await asked->send(std::string(answer));
  co_await rig.pass(kMoment);
  if (answered != nullptr) *answered = client->got();
  co_return asked->take();
}

TEST(SessionTimeouts, LaneWait) {
  Rig rig(kWeb);
  static constexpr auto body = [](Rig& r) -> io::Task<void> {
    Origin one(r.machine, kInstance);
    co_await r.pass(kMoment);
    std::string answered;
    co_await exchange(r, one, get("x=y"), kPatched, &answered);
    const std::string cookie = cookie_in(answered);
    EXPECT_NE(cookie, "");
    auto first = co_await r.ask(get(cookie));
    co_await r.pass(kMoment);
    Peer* const first_asked = one.asked();
    auto second = co_await r.ask(get(cookie));
    co_await r.pass(kMoment);
    EXPECT_NE(one.asked(), first_asked);
    r.store.set_faults({.delay_min = 30s, .delay_max = 30s});
    co_await first_asked->send(std::string(kPatched));
    co_await r.pass(kMoment);
    co_await one.asked()->send(std::string(kPatched));
    co_await r.pass(5s);  // half of lane_wait
    EXPECT_EQ(second->got(), "");
    co_await r.pass(5s + kMoment);
    EXPECT_TRUE(has(*second, "HTTP/1.1 503 ")) << second->got();
    EXPECT_TRUE(has(*second, "problem:lane-full"));
    EXPECT_EQ(first->got(), "");
    co_await r.pass(60s);
    EXPECT_TRUE(has(*first, "HTTP/1.1 200 "));
    EXPECT_EQ(r.gateway->counters().exchanges, 0u);
  };
  rig.run(body(rig));
}

constexpr std::string_view kSerial = R"(
[service.web]
instances = ["10.0.1.1:9001"]
[session.q]
secure = "never"
lane = "serial"
[[route]]
path = "/q"
service = "web"
session = "q"
)";

std::string post(std::string_view cookie) {
  return "POST /q HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nCookie: " + std::string(cookie) + "\r\n\r\n";
}

TEST(SessionTimeouts, LaneWaitOfAnExchange) {
  in_rig(kSerial, [](Rig& r) -> io::Task<void> {
    Origin one(r.machine, kInstance);
    co_await r.pass(kMoment);
    std::string answered;
    co_await exchange(r, one, post("x=y"), kPatched, &answered);
    const std::string cookie = cookie_in(answered);
    EXPECT_NE(cookie, "");
    auto first = co_await r.ask(post(cookie));
    co_await r.pass(kMoment);
    Peer* const asked = one.asked();
    const std::string request = asked->take();
    EXPECT_NE(request, "");
    auto second = co_await r.ask(post(cookie));
    co_await r.pass(5s);  // half of lane_wait
    EXPECT_EQ(second->got(), "");
    auto third = co_await r.ask(post(cookie));
    co_await r.pass(5s + kMoment);
    EXPECT_TRUE(has(*second, "HTTP/1.1 503 ")) << second->got();
    EXPECT_TRUE(has(*second, "problem:lane-full"));
    EXPECT_EQ(third->got(), "");
    EXPECT_EQ(r.gateway->counters().lane_waiting, 1u);
    EXPECT_EQ(r.gateway->counters().lane_refused, 1u);
    EXPECT_EQ(one.asked(), nullptr) << "nobody else has reached the service";
    co_await asked->send(std::string(kPatched));
    co_await r.pass(kMoment);
    EXPECT_TRUE(has(*first, "HTTP/1.1 200 "));
    co_await one.asked()->send(std::string(kPatched));
    co_await r.pass(kMoment);
    EXPECT_TRUE(has(*third, "HTTP/1.1 200 ")) << third->got();
    EXPECT_EQ(r.gateway->counters().exchanges, 0u);
    EXPECT_EQ(r.gateway->leftovers(), "3 connections");
  });
}

// The version that the service is given; 0 is a new session.
io::Task<std::string> version_seen(Rig& rig, Origin& origin, std::string cookie) {
  constexpr std::string_view kField = "Stateway-Session-Version: ";
  const std::string seen =
      co_await exchange(rig, origin, get(cookie), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  const std::size_t at = seen.find(kField);
  co_return at == std::string::npos
      ? "none"
      : seen.substr(at + kField.size(), seen.find('\r', at) - at - kField.size());
}

TEST(SessionTimeouts, IdleExpirySlides) {
  in_rig(kWeb, [](Rig& rig) -> io::Task<void> {
    Origin origin(rig.machine, kInstance);
    co_await rig.pass(kMoment);
    std::string answered;
    co_await exchange(rig, origin, get("x=y"), kPatched, &answered);
    const std::string cookie = cookie_in(answered);
    for (int i = 0; i < 5; ++i) {
      co_await rig.pass(15 * 60s);  // half of idle
      EXPECT_EQ(co_await version_seen(rig, origin, cookie), "1");
    }
    co_await rig.pass(30 * 60s);
    EXPECT_EQ(co_await version_seen(rig, origin, cookie), "0");
  });
}

TEST(SessionTimeouts, AbsoluteExpiryDoesNotSlide) {
  in_rig(kWeb, [](Rig& rig) -> io::Task<void> {
    Origin origin(rig.machine, kInstance);
    co_await rig.pass(kMoment);
    std::string answered;
    co_await exchange(rig, origin, get("x=y"), kPatched, &answered);
    const std::string cookie = cookie_in(answered);
    for (int i = 0; i < 4 * 24 - 1; ++i) {
      co_await rig.pass(15 * 60s);
      EXPECT_EQ(co_await version_seen(rig, origin, cookie), "1") << "after " << i << " quarters of an hour";
    }
    co_await rig.pass(15 * 60s);
    EXPECT_EQ(co_await version_seen(rig, origin, cookie), "0");
  });
}

const Address kSessionUrls{.host = "10.0.0.1", .port = 9000};

io::Task<std::unique_ptr<Peer>> connect_to_session_urls(Rig& rig) {
  auto stream = co_await rig.machine.connect(kSessionUrls, rig.loop.now() + 1s);
  CHECK(stream.has_value());
  co_return std::make_unique<Peer>(std::move(*stream));
}

TEST(SessionTimeouts, SessionUrlRequestThatDoesNotCome) {
  in_rig(kWeb, [](Rig& rig) -> io::Task<void> {
    auto peer = co_await connect_to_session_urls(rig);
    co_await rig.pass(30s);
    EXPECT_FALSE(peer->ended());
    co_await rig.pass(30s + kMoment);
    EXPECT_TRUE(peer->ended());
    EXPECT_EQ(peer->got(), "");
  });
}

TEST(SessionTimeouts, SessionUrlRequestThatStops) {
  in_rig(kWeb, [](Rig& rig) -> io::Task<void> {
    auto peer = co_await connect_to_session_urls(rig);
    co_await peer->send("PATCH /0/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{");
    co_await rig.pass(5s);
    EXPECT_EQ(peer->got(), "");
    EXPECT_FALSE(peer->ended());
    co_await rig.pass(5s + kMoment);
    EXPECT_TRUE(has(*peer, "HTTP/1.1 408 ")) << peer->got();
    EXPECT_TRUE(peer->ended());
  });
}

}  // namespace
}  // namespace stateway::sim
