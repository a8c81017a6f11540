#include "store/redis/confirmations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/redis/single.h"
#include "store/redis/test_server.h"

namespace stateway::store::redis {
namespace {

using test::Server;
using test::Words;
using test::World;
using testing::HasSubstr;

struct Waiting {
  explicit Waiting(World& w)
      : topology(w.at, {}), router(topology.make_router(w.loop, w.client)), confirmations(w.loop, *router) {}
  SingleTopology topology;
  std::unique_ptr<Router> router;
  Confirmations confirmations;
};

const std::uint64_t kServer = server_number("0123456789abcdef");

io::Task<void> wait(World& w, Confirmations& c, Confirmed asked, Result<void>& out,
                    std::uint64_t server = kServer) {
  out = co_await c.wait(0, "stateway:{abc}:", server, asked, w.loop.now() + 2s);
}

/// What one commit is told when the server answers like this.
Result<void> told(Confirmed asked, std::function<std::string(const Words&)> answer,
                  std::uint64_t server = kServer) {
  World w;
  Server fake(w.loop, w.host, w.at);
  fake.answer = std::move(answer);
  Waiting waiting(w);
  Result<void> out;
  w.run(wait(w, waiting.confirmations, asked, out, server));
  return out;
}

std::function<std::string(const Words&)> answers(std::string waitaof, std::string wait) {
  return [=](const Words& words) -> std::string {
    if (words[0] == "SET") return "+OK\r\n";
    if (words[0] == "WAITAOF") return waitaof;
    return words[0] == "WAIT" ? wait : "";
  };
}

TEST(RedisConfirmations, EnoughIsEnough) {
  EXPECT_TRUE(told({.on_disk = true}, answers("*2\r\n:1\r\n:0\r\n", "")));
  EXPECT_TRUE(told({.replicas = 2}, answers("", ":2\r\n")));
  EXPECT_TRUE(told({.replicas = 2}, answers("", ":3\r\n")));
  EXPECT_TRUE(told({.on_disk = true, .replicas = 1}, answers("*2\r\n:1\r\n:0\r\n", ":1\r\n")));
}

TEST(RedisConfirmations, TooFewIsNotDurable) {
  const struct {
    Confirmed asked;
    const char* waitaof;
    const char* wait;
    const char* says;
  } rows[] = {
      {{.on_disk = true}, "*2\r\n:0\r\n:0\r\n", "", "not on disk"},
      {{.on_disk = true},
       "-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.\r\n",
       "",
       "appendonly"},
      {{.replicas = 2}, "", ":1\r\n", "1 of 2 replicas"},
      {{.on_disk = true, .replicas = 1}, "*2\r\n:1\r\n:0\r\n", ":0\r\n", "0 of 1 replicas"},
      {{.on_disk = true, .replicas = 1}, "*2\r\n:0\r\n:1\r\n", ":1\r\n", "not on disk"},
      {{.replicas = 1}, "", "", "in time"},
  };
  for (const auto& row : rows) {
    const auto out = told(row.asked, answers(row.waitaof, row.wait));
    ASSERT_FALSE(out.has_value()) << row.says;
    EXPECT_EQ(out.error().code, Code::not_durable) << row.says;
    EXPECT_THAT(out.error().context, HasSubstr(row.says));
  }
}

TEST(RedisConfirmations, AnotherProcessCannotConfirm) {
  const auto out = told({.replicas = 1}, answers("", ":1\r\n"), kServer + 1);
  ASSERT_FALSE(out.has_value());
  EXPECT_EQ(out.error().code, Code::not_durable);
}

TEST(RedisConfirmations, ManyCommitsShareARoundAndNoneJoinsOneThatBegan) {
  World w;
  Server server(w.loop, w.host, w.at);
  Waiting waiting(w);
  static constexpr auto test = [](World& world, Server& s, Confirmations& c) -> io::Task<void> {
    io::TaskGroup group;
    std::vector<Result<void>> results(30);
    bool joined = false;
    s.answer = [&](const Words& words) -> std::string {
      if (words[0] == "SET" && !std::exchange(joined, true))
        for (int i = 10; i < 30; ++i)
          group.spawn(wait(world, c, {.replicas = 1}, results[static_cast<std::size_t>(i)]));
      if (words[0] == "SET") return "+OK\r\n";
      return words[0] == "WAIT" ? ":1\r\n" : "";
    };
    for (int i = 0; i < 10; ++i)
      group.spawn(wait(world, c, {.replicas = 1}, results[static_cast<std::size_t>(i)]));
    co_await group.drained();
    for (const auto& result : results) EXPECT_TRUE(result.has_value());
    EXPECT_EQ(s.asked.size(), 4u) << "two rounds of SET and WAIT";
    EXPECT_EQ(s.asked[0][1], "stateway:{abc}::mark");
  };
  w.run(test(w, server, waiting.confirmations));
}

/// Confirms everything 5 ms after it was asked, if that long is given to it.
class Slow final : public Router {
 public:
  explicit Slow(World& w) : w_(w) {}
  io::Task<Result<Answer>> ask(Request, TimePoint deadline) override {
    const TimePoint at = w_.loop.now() + 5ms;
    co_await io::SleepUntil(w_.loop, std::min(at, deadline));
    if (deadline < at) co_return fail(Code::store_unavailable, Side::store, "no answer in time");
    Reply both{.kind = Reply::Kind::array};
    both.elements.push_back({.kind = Reply::Kind::status, .text = "OK"});
    both.elements.push_back({.kind = Reply::Kind::integer, .integer = 1});
    co_return Answer{std::move(both), kServer};
  }
  io::Task<Result<void>> ready(TimePoint) override { co_return Result<void>(); }

 private:
  World& w_;
};

TEST(RedisConfirmations, OneWhoHasNoTimeLeftTakesNoneFromTheOthers) {
  World w;
  Slow router(w);
  Confirmations confirmations(w.loop, router);
  static constexpr auto one = [](World& world, Confirmations& c, Duration left, int& bad) -> io::Task<void> {
    const Confirmed asked{.replicas = 1};
    const auto confirmed = co_await c.wait(0, "stateway:{abc}:", kServer, asked, world.loop.now() + left);
    if (!confirmed) ++bad;
  };
  static constexpr auto test = [](World& world, Confirmations& c) -> io::Task<void> {
    io::TaskGroup group;
    int hurried = 0, others = 0;
    group.spawn(one(world, c, 2ms, hurried));
    for (int i = 0; i < 100; ++i) {
      group.spawn(one(world, c, 2s, others));
      co_await world.pass(1ms);
    }
    co_await group.drained();
    EXPECT_EQ(hurried, 1);
    EXPECT_EQ(others, 0);
  };
  w.run(test(w, confirmations));
}

}  // namespace
}  // namespace stateway::store::redis
