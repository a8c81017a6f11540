#include "upstream/health.h"

#include <gtest/gtest.h>

#include "io/sockets.h"
#include "io/test_loop.h"
#include "upstream/service_on_loop.h"
#include "wire/server.h"

namespace stateway::upstream {
namespace {

using Verdict = HealthRules::Verdict;
constexpr TimePoint kStart{1000s};

ServiceOptions checked() {
  ServiceOptions out;
  out.name = "shop";
  out.instances = {*parse_address("127.0.0.1:9")};
  out.health = HealthOptions{.path = "/healthz",
                             .interval = std::chrono::milliseconds(1'000),
                             .timeout = std::chrono::milliseconds(500),
                             .fall = 3,
                             .rise = 2};
  return out;
}

/// The verdicts of a series of checks at one status: 'o' good, 'x' bad; '.' none, 'U' up, 'D' down.
std::string verdicts(HealthRules& rules, Instance::Status status, std::string_view checks, TimePoint& now) {
  std::string out;
  for (const char c : checks) {
    const TimePoint due = rules.due(status, true, now);
    if (due == io::kNoDeadline) return out + "-";
    now = std::max(now, due);
    const Verdict v = rules.judge(status, c == 'o', now);
    out.push_back(v == Verdict::up ? 'U' : v == Verdict::down ? 'D' : '.');
    if (v == Verdict::up) status = {status.generation + (status.state == State::down ? 1 : 0), State::up};
    if (v == Verdict::down) status.state = State::down;
  }
  return out;
}

TEST(HealthRules, FallAndRise) {
  ServiceOptions supervised = checked();
  supervised.instances.clear();
  supervised.command = {"shop"};
  ServiceOptions connects_only = checked();
  connects_only.health.reset();
  const struct {
    ServiceOptions options;
    State from;
    std::string_view checks, verdicts;
  } table[] = {
      {checked(), State::starting, "o", "U"},
      {checked(), State::starting, "xxx", "..D"},
      {checked(), State::starting, "xxo", "..U"},
      {checked(), State::up, "xxoxxx", ".....D"},
      {checked(), State::up, "xxxoo", "..D.U"},
      {checked(), State::up, "xxxoxoo", "..D...U"},
      {checked(), State::down, "xo", ".U"},  // by an exchange: one good check
      {checked(), State::draining, "o", "-"},
      {checked(), State::stopped, "o", "-"},
      {supervised, State::starting, "xxxxxxo", "......U"},
      {supervised, State::up, "xxxoo", "..D.U"},
      {connects_only, State::starting, "xo", "DU"},
      {connects_only, State::starting, "oo", "U-"},  // nothing to check while it is up
      {connects_only, State::down, "xxo", "..U"},
  };
  for (const auto& row : table) {
    HealthRules rules(row.options);
    TimePoint now = kStart;
    EXPECT_EQ(verdicts(rules, {5, row.from}, row.checks, now), row.verdicts)
        << state_name(row.from) << " " << row.checks;
  }
}

TEST(HealthRules, WhenTheNextCheckIsDue) {
  HealthRules rules(checked());
  EXPECT_EQ(rules.due({1, State::starting}, true, kStart), kStart) << "at once";
  Duration expected = HealthRules::kEagerFirst;
  TimePoint now = kStart;
  ServiceOptions patient = checked();
  patient.command = {"shop"};
  HealthRules eager(patient);
  (void)eager.due({1, State::starting}, true, now);
  for (int i = 0; i < 8; ++i) {
    (void)eager.judge({1, State::starting}, false, now);
    EXPECT_EQ(eager.due({1, State::starting}, true, now), now + expected);
    now += expected;
    expected = std::min(expected * 2, HealthRules::kEagerLast);
  }
  EXPECT_EQ(eager.due({1, State::starting}, false, now), io::kNoDeadline) << "without a process";
  EXPECT_EQ(eager.due({1, State::up}, true, now), now + 1s);
  EXPECT_EQ(eager.due({1, State::up}, true, now + 700ms), now + 1s) << "asking again does not move it";
  EXPECT_EQ(eager.due({1, State::down}, true, now), now + HealthRules::kEagerFirst) << "refused an exchange";
}

TEST(HealthRules, AProcessThatDoesNotComeUpInItsAllowanceIsDown) {
  ServiceOptions options = checked();
  options.instances.clear();
  options.command = {"shop"};
  HealthRules rules(options);
  TimePoint now = kStart;
  Verdict last = Verdict::none;
  while (last == Verdict::none) {
    now = std::max(now, rules.due({1, State::starting}, true, now));
    last = rules.judge({1, State::starting}, false, now);
    ASSERT_LE(now, kStart + kStartAllowance + 1s);
  }
  EXPECT_EQ(last, Verdict::down);
  EXPECT_GE(now, kStart + kStartAllowance);
}

class Scripted final : public wire::Handler {
 public:
  io::Task<wire::Response> handle(const wire::Request& request) override {
    wire::Response out;
    const http::Field* token = request.head.fields.find("Stateway-Token");
    const bool trusted = token != nullptr && token->value == "s3cret";
    if (request.head.target == "/302")
      out.status = 302;
    else if (request.head.target == "/404")
      out.status = 404;
    else if (request.head.target == "/token")
      out.status = trusted ? 200 : 401;
    if (request.head.target == "/silent") co_await io::SleepUntil(loop_, io::kNoDeadline);
    co_return out;
  }
  explicit Scripted(io::Loop& loop) : loop_(loop) {}

 private:
  io::Loop& loop_;
};

io::Task<void> probe(io::EpollLoop& loop, io::Network& network, Endpoint to, ServiceOptions options,
                     Result<void>& out) {
  HealthProbe under_test(options, loop, network);
  out = co_await under_test.run(to);
}

Result<void> probe_path(std::string path, std::optional<std::string> token = {}) {
  io::EpollLoop loop;
  io::Worker resolver("resolver");
  io::SocketNetwork network(loop, resolver);
  auto listening = io::ListenSocket::open(*parse_address("127.0.0.1:0"));
  io::SocketAcceptor acceptor(loop, *listening);
  Scripted handler(loop);
  wire::Server server(loop, handler, {});
  io::TaskGroup tasks;
  tasks.spawn(server.accept_from(acceptor));
  ServiceOptions options = checked();
  options.health->path = path;
  options.health->timeout = std::chrono::milliseconds(path == "/silent" ? 20 : 10'000);
  Endpoint to{.address = listening->address(), .token = nullptr};
  if (token) to.token = std::make_shared<const Secret>(*token);
  Result<void> out;
  io::run_until_done(loop, probe(loop, network, to, options, out));
  return out;
}

TEST(HealthProbe, GoodAnswersAndOthers) {
  EXPECT_TRUE(probe_path("/"));
  EXPECT_TRUE(probe_path("/302"));
  const auto missing = probe_path("/404");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().context, "/404 answered 404");
  const auto silent = probe_path("/silent");
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().code, Code::response_timeout);
}

TEST(HealthProbe, KnowsTheServicesToken) {
  EXPECT_TRUE(probe_path("/token", "s3cret"));
  EXPECT_FALSE(probe_path("/token"));
}

TEST(HealthProbe, ConnectsOnlyWithoutHealth) {
  io::EpollLoop loop;
  io::Worker resolver("resolver");
  io::SocketNetwork network(loop, resolver);
  auto listening = std::make_unique<io::ListenSocket>(*io::ListenSocket::open(*parse_address("127.0.0.1:0")));
  const Endpoint address{.address = listening->address(), .token = nullptr};
  ServiceOptions options = checked();
  options.health.reset();
  Result<void> out;
  io::run_until_done(loop, probe(loop, network, address, options, out));
  EXPECT_TRUE(out);
  listening.reset();
  io::EpollLoop second;
  io::SocketNetwork other(second, resolver);
  io::run_until_done(second, probe(second, other, address, options, out));
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, Code::connect_failed);
}

}  // namespace
}  // namespace stateway::upstream
