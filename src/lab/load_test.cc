#include "lab/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "io/sockets.h"
#include "io/test_loop.h"
#include "wire/server.h"

namespace stateway::lab {
namespace {

// A server on a free port of the test's own loop.
struct Site {
  explicit Site(io::EpollLoop& l, wire::Handler& handler)
      : socket(std::move(*io::ListenSocket::open({.host = "127.0.0.1"}))),
        acceptor(l, socket),
        server(l, handler, {}) {
    tasks.spawn(server.accept_from(acceptor));
  }
  Address address() const { return socket.address(); }

  io::ListenSocket socket;
  io::SocketAcceptor acceptor;
  wire::Server server;
  io::TaskGroup tasks;
};

// Greets each client with a cookie of its own and refuses every fifth request.
class Greeter : public wire::Handler {
 public:
  io::Task<wire::Response> handle(const wire::Request& request) override {
    wire::Response out;
    const std::string cookie(request.head.fields.value_of(http::FieldId::cookie));
    if (cookie.empty())
      out.fields.emplace_back("Set-Cookie", "id=" + std::to_string(++clients) + "; HttpOnly; Path=/");
    else
      ids.insert(cookie);
    if (++requests % 5 == 0) out.status = 503;
    out.body = request.target.path();
    co_return out;
  }
  int clients = 0;
  int requests = 0;
  std::set<std::string> ids;
};

class Recorder : public Workload {
 public:
  wire::ClientRequest make(const Turn& turn) override {
    targets.push_back("/" + std::to_string(turn.client) + "/" + std::to_string(turn.sequence));
    wire::ClientRequest request;
    request.target = targets.back();
    return request;
  }
  void done(const Turn& turn, const Outcome& outcome) override {
    turns.emplace_back(turn.client, turn.sequence);
    fates.push_back(outcome.fate);
    latencies.push_back(outcome.latency);
    if (outcome.response != nullptr && outcome.response->status == 200)
      right +=
          outcome.response->body == "/" + std::to_string(turn.client) + "/" + std::to_string(turn.sequence);
    EXPECT_EQ(outcome.response != nullptr, outcome.fate == Outcome::Fate::answered);
    EXPECT_EQ(outcome.error == nullptr, outcome.fate == Outcome::Fate::answered);
  }
  std::deque<std::string> targets;  // views of them are out
  std::vector<std::pair<unsigned, std::uint64_t>> turns;
  std::vector<Outcome::Fate> fates;
  std::vector<Duration> latencies;
  int right = 0;
};

class LoadTest : public testing::Test {
 protected:
  static io::Task<void> run_into(Load& load, LoadReport& out) { out = co_await load.run(); }
  void run(Load& load) { io::run_until_done(loop, run_into(load, report)); }

  io::EpollLoop loop;
  io::Worker resolver{"resolver"};
  io::SocketNetwork network{loop, resolver};
  Recorder recorder;
  LoadReport report;
};

TEST_F(LoadTest, EveryClientHasItsOwnCookieAndEveryTurnIsPlayedOnce) {
  Greeter greeter;
  Site site(loop, greeter);
  Load load(loop, network, {.target = site.address(), .clients = 4, .rate = 5000, .requests = 42}, recorder);
  run(load);
  EXPECT_EQ(report.turns(), 42u);
  EXPECT_EQ(report.refused, 8u);
  EXPECT_EQ(report.ok, 34u);
  EXPECT_EQ(recorder.right, 34);
  EXPECT_EQ(report.statuses, (std::map<int, std::uint64_t>{{200, 34}, {503, 8}}));
  EXPECT_EQ(report.latency.count(), 42u);
  EXPECT_EQ(greeter.clients, 4);
  EXPECT_THAT(greeter.ids, testing::SizeIs(4));
  std::set<std::pair<unsigned, std::uint64_t>> once(recorder.turns.begin(), recorder.turns.end());
  EXPECT_EQ(once.size(), 42u);
  EXPECT_FALSE(load.cookies(3).empty());
}

TEST_F(LoadTest, TurnsGoToAllTargetsAndNoneToOneThatIsDown) {
  Greeter one, two;
  Site first(loop, one), second(loop, two);
  const Address down = io::ListenSocket::open({.host = "127.0.0.1"})->address();
  Load load(loop, network,
            {.target = first.address(),
             .others = {down, second.address()},
             .clients = 4,
             .rate = 5000,
             .requests = 60},
            recorder);
  run(load);
  EXPECT_EQ(report.turns(), 60u);
  EXPECT_EQ(report.not_sent + report.indeterminate, 0u);
  EXPECT_EQ(one.requests + two.requests, 60);
  EXPECT_GT(one.requests, 5);
  EXPECT_GT(two.requests, 20) << "with what the one that is down does not take";
  EXPECT_EQ(one.clients + two.clients, 4) << "a client has its cookie at all of them";
}

TEST_F(LoadTest, EndsAfterItsDuration) {
  Greeter greeter;
  Site site(loop, greeter);
  Load load(loop, network, {.target = site.address(), .clients = 2, .rate = 1000, .duration = 50ms},
            recorder);
  run(load);
  EXPECT_EQ(report.turns(), 50u);
  EXPECT_GE(report.elapsed, 49ms);
}

// Holds the first request back; the others are fast.
class SlowStart : public wire::Handler {
 public:
  explicit SlowStart(io::Loop& l) : loop_(l) {}
  io::Task<wire::Response> handle(const wire::Request&) override {
    // tidy: sleep: a slow service is what it plays.
    if (!std::exchange(started_, true)) co_await io::sleep_for(loop_, 100ms);
    co_return wire::Response{};
  }

 private:
  io::Loop& loop_;
  bool started_ = false;
};

TEST_F(LoadTest, LatencyCountsFromWhenARequestWasDueNotFromWhenItCouldLeave) {
  SlowStart handler(loop);
  Site site(loop, handler);
  Load load(loop, network, {.target = site.address(), .clients = 1, .rate = 200, .requests = 10}, recorder);
  run(load);
  ASSERT_EQ(report.ok, 10u);
  EXPECT_GE(recorder.latencies[0], 99ms);
  EXPECT_GE(recorder.latencies[5], 70ms);  // due at 25 ms, sent at 100 ms
  EXPECT_GE(report.latency.quantile(0.5), 70ms);
}

// Reads something and breaks the connection without an answer.
io::Task<void> break_connections(io::Loop& loop, io::Acceptor& acceptor, int& accepted) {
  for (;;) {
    auto connection = co_await acceptor.accept();
    if (!connection) co_return;
    ++accepted;
    std::array<char, 64> some;
    (void)co_await connection->stream->read_some(some, loop.now() + 5s);
  }
}

TEST_F(LoadTest, ABrokenConnectionLeavesTheOutcomeOpenAndTheNextTurnReconnects) {
  const auto socket = io::ListenSocket::open({.host = "127.0.0.1"});
  io::SocketAcceptor acceptor(loop, *socket);
  int accepted = 0;
  io::TaskGroup tasks;
  tasks.spawn(break_connections(loop, acceptor, accepted));
  Load load(loop, network, {.target = socket->address(), .clients = 2, .rate = 5000, .requests = 20},
            recorder);
  run(load);
  EXPECT_EQ(report.indeterminate, 20u);
  EXPECT_EQ(accepted, 20);
  EXPECT_EQ(report.latency.count(), 0u);
}

TEST_F(LoadTest, WithoutAConnectionNothingWasSent) {
  Address nobody;
  {
    const auto socket = io::ListenSocket::open({.host = "127.0.0.1"});
    nobody = socket->address();
  }
  Load load(loop, network, {.target = nobody, .clients = 3, .rate = 5000, .requests = 9}, recorder);
  run(load);
  EXPECT_EQ(report.not_sent, 9u);
  EXPECT_THAT(recorder.fates, testing::Each(Outcome::Fate::not_sent));
  EXPECT_THAT(report.text(), testing::HasSubstr("9 not sent"));
}

TEST(CookieJar, KeepsTheLastValueOfEachNameAndForgetsWhenTold) {
  CookieJar jar;
  wire::ClientResponse response;
  response.fields = {{"Set-Cookie", "a=1; Path=/; HttpOnly"}, {"set-cookie", "b=x=y"}, {"Set-Cookie", "a=2"}};
  jar.take(response);
  EXPECT_EQ(jar.header(), "a=2; b=x=y");
  EXPECT_EQ(jar.value("b"), "x=y");
  response.fields = {{"Set-Cookie", "a=; Path=/; Max-Age=0"}, {"Set-Cookie", "c=3; max-age=10"}};
  jar.take(response);
  EXPECT_EQ(jar.header(), "b=x=y; c=3");
}

}  // namespace
}  // namespace stateway::lab
