#include "store/redis/single.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/redis/test_server.h"

namespace stateway::store::redis {
namespace {

using test::Server;
using test::Words;
using test::World;
using testing::HasSubstr;

struct Single {
  explicit Single(World& w, Access access = {})
      : topology(w.at, std::move(access)), router(topology.make_router(w.loop, w.client)) {}
  SingleTopology topology;
  std::unique_ptr<Router> router;
};

io::Task<void> ask(World& w, Router& router, Request request, Result<Answer>& out, Duration limit = 2s) {
  out = co_await router.ask(std::move(request), w.loop.now() + limit);
}

Request ping(std::string key = "k") { return {.key = std::move(key), .command = format_command({"PING"})}; }

TEST(RedisSingle, WhatMayBeRepeatedIsAskedAgainWhenTheConnectionBreaks) {
  World w;
  Server server(w.loop, w.host, w.at);
  server.hang_up_after = 3;  // each connection ends with the first command after the greeting
  server.answer = [&](const Words& words) {
    if (words[0] != "PING") return std::string();
    if (server.asked.size() == 3) server.hang_up_after = 0;
    return std::string(server.asked.size() < 3 ? "" : "+PONG\r\n");
  };
  Single single(w);
  Result<Answer> answer;
  w.run(ask(w, *single.router, ping(), answer));
  ASSERT_TRUE(answer.has_value()) << answer.error().context;
  EXPECT_EQ(answer->reply.text, "PONG");
}

TEST(RedisSingle, WhatMayNotBeRepeatedFailsWhenItMayHaveBeenDone) {
  World w;
  Server server(w.loop, w.host, w.at);
  Single single(w);
  static constexpr auto test = [](World& world, Server& s, Router& router) -> io::Task<void> {
    Result<Answer> answer;
    Request once = ping();
    once.repeatable = false;
    co_await ask(world, router, once, answer);
    EXPECT_TRUE(answer.has_value());
    s.mute = true;
    const TimePoint began = world.loop.now();
    co_await ask(world, router, once, answer);
    EXPECT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, Code::store_unavailable);
    EXPECT_EQ(answer.error().retry, Retry::never);
    EXPECT_LT(world.loop.now() - began, 1100ms) << "as soon as its connection is given up";
    EXPECT_EQ(s.asked.size(), 2u);
    s.mute = false;
    co_await ask(world, router, once, answer);
    EXPECT_TRUE(answer.has_value());
  };
  w.run(test(w, server, *single.router));
}

TEST(RedisSingle, ASilentServerIsAskedAgainUntilTheDeadline) {
  World w;
  Server server(w.loop, w.host, w.at);
  server.mute = true;
  Single single(w);
  static constexpr auto test = [](World& world, Router& router) -> io::Task<void> {
    Result<Answer> answer;
    const TimePoint began = world.loop.now();
    co_await ask(world, router, ping(), answer);
    EXPECT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, Code::store_unavailable);
    EXPECT_GE(world.loop.now() - began, 2s);
    EXPECT_LT(world.loop.now() - began, 2100ms);
  };
  w.run(test(w, *single.router));
}

TEST(RedisSingle, AServerThatBecameAReplicaIsDialedAgain) {
  for (const char* said : {
           "-READONLY You can't write against a read only replica.\r\n",
           // Redis 6.2, inside a script
           "-ERR Error running script (call to f_0a1b): @user_script:4: @user_script: 4: -READONLY You can't "
           "write against a read only replica. \r\n",
           "-ERR Error running script (call to f_0a1b): @user_script:5: @user_script: 5: -LOADING Redis is "
           "loading the dataset in memory \r\n",
       }) {
    World w;
    Server server(w.loop, w.host, w.at);
    int refusals = 3;
    server.answer = [&](const Words& words) -> std::string {
      if (words[0] != "PING") return "";
      return refusals-- > 0 ? said : "+PONG\r\n";
    };
    Single single(w);
    Result<Answer> answer;
    Request once = ping();
    once.repeatable = false;  // it was not done
    w.run(ask(w, *single.router, once, answer));
    ASSERT_TRUE(answer.has_value()) << answer.error().context;
    EXPECT_EQ(answer->reply.text, "PONG") << said;
    EXPECT_EQ(server.connections, 4);
  }
}

TEST(RedisSingle, AnotherProcessIsAnotherEpoch) {
  World w;
  Server server(w.loop, w.host, w.at);
  Single single(w);
  static constexpr auto test = [](World& world, Server& s, Single& of) -> io::Task<void> {
    Result<Answer> first, second;
    EXPECT_EQ(of.topology.epoch(), 0u);
    co_await ask(world, *of.router, ping(), first);
    const std::uint64_t epoch = of.topology.epoch();
    EXPECT_NE(epoch, 0u);
    s.answer = [&](const Words& words) -> std::string {
      if (words[0] == "PING") s.answer = {};
      return words[0] == "PING" ? "-LOADING Redis is loading the dataset in memory\r\n" : "";
    };
    s.info.replace(s.info.find("0123456789abcdef"), 16, "another one.....");
    co_await ask(world, *of.router, ping(), second);
    EXPECT_TRUE(first && second);
    EXPECT_NE(of.topology.epoch(), epoch);
    EXPECT_NE(first->server, second->server);
  };
  w.run(test(w, server, single));
}

/// Answers the next PING with READONLY, so that it is dialed anew.
void refuse_once(Server& s) {
  s.answer = [&s](const Words& words) -> std::string {
    if (words[0] != "PING") return "";
    s.answer = {};
    return "-READONLY You can't write against a read only replica.\r\n";
  };
}

TEST(RedisSingle, NoEpochComesBack) {
  World w;
  Server server(w.loop, w.host, w.at);
  Single single(w);
  static constexpr auto test = [](World& world, Server& s, Single& of) -> io::Task<void> {
    Result<Answer> answer;
    std::vector<std::uint64_t> epochs;
    for (const char* id : {"the first one...", "its heir........", "the first one..."}) {
      s.become(id);
      refuse_once(s);
      co_await ask(world, *of.router, ping(), answer);
      EXPECT_TRUE(answer.has_value());
      epochs.push_back(of.topology.epoch());
    }
    EXPECT_LT(epochs[0], epochs[1]);
    EXPECT_LT(epochs[1], epochs[2]);
    refuse_once(s);
    co_await ask(world, *of.router, ping(), answer);
    EXPECT_EQ(of.topology.epoch(), epochs[2]) << "nothing changed";
    s.info.replace(s.info.find("fedcba9876543210"), 16, "another history.");
    refuse_once(s);
    co_await ask(world, *of.router, ping(), answer);
    EXPECT_LT(epochs[2], of.topology.epoch()) << "it was a replica in between";
  };
  w.run(test(w, server, single));
}

TEST(RedisSingle, AllConnectionsReachTheServerThatWasGreetedLast) {
  World w;
  Server server(w.loop, w.host, w.at);
  Single single(w);
  static constexpr auto test = [](World& world, Server& s, Router& router) -> io::Task<void> {
    Result<Answer> before, waits, after;
    co_await ask(world, router, ping(), before);
    s.become("its heir........");
    Request wait = ping();
    wait.waits = true;
    co_await ask(world, router, wait, waits);
    co_await ask(world, router, ping(), after);
    EXPECT_TRUE(before && waits && after);
    EXPECT_NE(before->server, waits->server);
    EXPECT_EQ(after->server, waits->server);
    EXPECT_EQ(s.connections, 3);
  };
  w.run(test(w, server, *single.router));
}

TEST(RedisSingle, KeysKeepTheirConnectionAndThoseThatWaitHaveTheirOwn) {
  World w;
  Server server(w.loop, w.host, w.at);
  Single single(w, {.connections = 3});
  static constexpr auto test = [](World& world, Server& s, Router& router) -> io::Task<void> {
    Result<Answer> answer;
    for (int i = 0; i < 40; ++i) co_await ask(world, router, ping("k" + std::to_string(i % 20)), answer);
    EXPECT_EQ(s.connections, 3);
    s.answer = [](const Words& words) { return words[0] == "WAIT" ? "" : "+OK\r\n"; };
    io::TaskGroup group;
    Result<Answer> waiting;
    Request wait{.key = "k", .command = format_command({"WAIT", "1", "0"}), .waits = true};
    group.spawn(ask(world, router, wait, waiting));
    co_await ask(world, router, ping(), answer);
    EXPECT_TRUE(answer.has_value());
    EXPECT_EQ(s.connections, 4);
  };
  w.run(test(w, server, *single.router));
}

TEST(RedisSingle, WhatIsSaidOfAuthIsNotRepeated) {
  const struct {
    const char* reply;
    Code code;
    const char* says;
  } rows[] = {
      {"-ERR unknown command 'AUTH', with args beginning with: 'bob' 'hunter2' \r\n", Code::invalid_argument,
       "does not know AUTH"},
      {"-ERR unknown command `AUTH`, with args beginning with: `hunter2`, \r\n", Code::invalid_argument,
       "does not know AUTH"},
      {"-DENIED to bob with hunter2\r\n", Code::store_unavailable, "it refuses AUTH: DENIED"},
      {"-NOPERM not for bob with hunter2\r\n", Code::store_unavailable, "it refuses AUTH: NOPERM"},
      {"-ERR max number of clients reached\r\n", Code::store_unavailable, "maxclients"},
  };
  for (const auto& row : rows) {
    World w;
    Server server(w.loop, w.host, w.at);
    server.answer = [&](const Words& words) { return std::string(words[0] == "AUTH" ? row.reply : ""); };
    Single single(w, {.user = "bob", .password = Secret("hunter2")});
    static constexpr auto test = [](World& world, Router& router, Result<void>& out) -> io::Task<void> {
      out = co_await router.ready(world.loop.now() + 2s);
    };
    Result<void> ready;
    w.run(test(w, *single.router, ready));
    ASSERT_FALSE(ready.has_value()) << row.reply;
    EXPECT_EQ(ready.error().code, row.code) << row.reply;
    EXPECT_THAT(ready.error().context, HasSubstr(row.says));
    EXPECT_THAT(ready.error().context, testing::Not(HasSubstr("hunter2")));
  }
}

TEST(RedisSingle, ReadySaysWhatIsWrong) {
  World w;
  Server server(w.loop, w.host, w.at);
  server.answer = [](const Words& words) { return words[0] == "AUTH" ? "-WRONGPASS no\r\n" : ""; };
  Single single(w, {.password = Secret("hunter2")});
  static constexpr auto test = [](World& world, Router& router) -> io::Task<void> {
    const auto ready = co_await router.ready(world.loop.now() + 2s);
    EXPECT_FALSE(ready.has_value());
    EXPECT_EQ(ready.error().code, Code::invalid_argument);
    EXPECT_THAT(ready.error().context, HasSubstr("wrong user or password"));
  };
  w.run(test(w, *single.router));
}

}  // namespace
}  // namespace stateway::store::redis
