#include "store/redis/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/redis/test_server.h"

namespace stateway::store::redis {
namespace {

using test::Server;
using test::Words;
using test::World;
using testing::HasSubstr;

struct Client {
  explicit Client(World& w, ConnectionOptions options = {})
      : dialer(w.client, w.at), connection(w.loop, dialer, std::move(options), check, w.random) {}
  AddressDialer dialer;
  test::AnyMaster check;
  Connection connection;
};

io::Task<void> ask(World& w, Connection& c, Words words, Result<Reply>& result, Duration limit = 2s) {
  const std::vector<std::string_view> views(words.begin(), words.end());
  result = co_await c.call(format_command(views), w.loop.now() + limit);
}

std::string text_of(const Result<Reply>& result) { return result ? result->text : result.error().context; }

TEST(RedisConnection, CommandsOfOneTurnGoTogetherAndRepliesComeInOrder) {
  World w;
  Server server(w.loop, w.host, w.at);
  server.answer = [](const Words& words) {
    return words[0] == "ECHO" ? "+" + words[1] + "\r\n" : std::string();
  };
  Client client(w, {.user = "ann", .password = Secret("pw"), .database = 3});
  static constexpr auto test = [](World& world, Server& s, Connection& c) -> io::Task<void> {
    constexpr int kCalls = 50;
    for (int round = 0; round < 2; ++round) {
      std::vector<Result<Reply>> results(kCalls);
      const int pieces = s.pieces;
      io::TaskGroup group;
      for (int i = 0; i < kCalls; ++i)
        group.spawn(ask(world, c, {"ECHO", std::to_string(i)}, results[static_cast<std::size_t>(i)]));
      co_await group.drained();
      for (int i = 0; i < kCalls; ++i)
        EXPECT_EQ(text_of(results[static_cast<std::size_t>(i)]), std::to_string(i));
      EXPECT_EQ(s.pieces - pieces, round == 0 ? 2 : 1) << "the greeting goes alone";
    }
  };
  w.run(test(w, server, client.connection));
  const std::vector<Words> greeting = {
      {"AUTH", "ann", "pw"}, {"SELECT", "3"}, {"CLIENT", "SETNAME", "stateway"}, {"INFO"}};
  EXPECT_EQ(server.greeted, greeting);
  EXPECT_EQ(server.connections, 1);
  EXPECT_EQ(client.connection.facts().version, "7.0.15");
}

TEST(RedisConnection, WhatTheNetworkDoesToItsOctetsDoesNotMatter) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    io::Faults faults;
    faults.split = faults.short_read = faults.short_write = faults.spurious = 0.5;
    faults.buffer_min = faults.buffer_max = 1000;
    World w(faults, seed);
    Server server(w.loop, w.host, w.at);
    server.answer = [](const Words& words) {
      return "$" + std::to_string(words[1].size()) + "\r\n" + words[1] + "\r\n";
    };
    Client client(w, {.timeout = 60s, .silence = 60s});
    static constexpr auto test = [](World& world, Connection& c) -> io::Task<void> {
      constexpr std::size_t kCalls = 20;
      std::vector<Result<Reply>> results(kCalls);
      io::TaskGroup group;
      const auto value = [](std::size_t i) { return std::string(i * 500, static_cast<char>('a' + i)); };
      for (std::size_t i = 0; i < kCalls; ++i) {
        group.spawn(ask(world, c, {"ECHO", value(i)}, results[i], 3600s));
        co_await world.pass(std::chrono::microseconds(10));
      }
      co_await group.drained();
      for (std::size_t i = 0; i < kCalls; ++i) EXPECT_EQ(text_of(results[i]), value(i));
    };
    w.run(test(w, client.connection));
  }
}

TEST(RedisConnection, WhoNoLongerWaitsGetsNothingAndNobodyGetsHisReply) {
  World w;
  Server server(w.loop, w.host, w.at);
  server.answer = [](const Words& words) { return "+" + words[1] + "\r\n"; };
  Client client(w);
  static constexpr auto test = [](World& world, Server& s, Connection& c) -> io::Task<void> {
    Result<Reply> first, gone, last;
    EXPECT_TRUE((co_await c.ready(world.loop.now() + 2s)).has_value());
    io::TaskGroup staying, going;
    staying.spawn(ask(world, c, {"ECHO", "first"}, first));
    going.spawn(ask(world, c, {"ECHO", "gone"}, gone));
    staying.spawn(ask(world, c, {"ECHO", "last"}, last));
    co_await world.pass(std::chrono::microseconds(2));  // sent, and not there yet
    going.cancel_all();
    co_await staying.drained();
    EXPECT_EQ(text_of(first), "first");
    EXPECT_EQ(text_of(last), "last");
    EXPECT_EQ(s.asked.size(), 3u);

    going.spawn(ask(world, c, {"ECHO", "never sent"}, gone));
    going.cancel_all();
    staying.spawn(ask(world, c, {"ECHO", "again"}, last));
    co_await staying.drained();
    EXPECT_EQ(text_of(last), "again");
    EXPECT_EQ(s.asked.size(), 4u);
  };
  w.run(test(w, server, client.connection));
}

TEST(RedisConnection, ErrorsOfTheServerAreReplies) {
  World w;
  Server server(w.loop, w.host, w.at);
  server.answer = [](const Words&) { return "-NOSCRIPT none\r\n"; };
  Client client(w);
  Result<Reply> result;
  w.run(ask(w, client.connection, {"EVALSHA", "x"}, result));
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->is_error("NOSCRIPT"));
}

TEST(RedisConnection, ACommandThatWasSentFailsWithItsConnectionAndOneThatWasNotGoesOverTheNext) {
  World w;
  Server server(w.loop, w.host, w.at);
  server.hang_up_after = 3;  // the greeting and one more
  Client client(w);
  static constexpr auto test = [](World& world, Server& s, Connection& c) -> io::Task<void> {
    Result<Reply> answered, sent, unsent;
    io::TaskGroup group;
    s.answer = [&](const Words& words) {
      // The server is about to hang up: this one comes too late for it.
      if (words[0] == "ONE") group.spawn(ask(world, c, {"THREE"}, unsent));
      return words[0] == "CLIENT" ? "" : "+" + words[0] + "\r\n";
    };
    group.spawn(ask(world, c, {"ONE"}, answered));
    group.spawn(ask(world, c, {"TWO"}, sent));
    co_await group.drained();
    EXPECT_EQ(text_of(answered), "ONE");
    EXPECT_FALSE(sent.has_value());
    EXPECT_EQ(sent.error().code, Code::closed);
    EXPECT_EQ(sent.error().retry, Retry::never) << "it may have been done";
  };
  w.run(test(w, server, client.connection));
}

TEST(RedisConnection, WaitsForAServerThatComesBack) {
  World w;
  auto server = std::make_unique<Server>(w.loop, w.host, w.at);
  Client client(w);
  static constexpr auto test = [](World& world, std::unique_ptr<Server>& s, Connection& c) -> io::Task<void> {
    Result<Reply> result;
    co_await ask(world, c, {"PING"}, result);
    EXPECT_EQ(text_of(result), "OK");
    s.reset();
    co_await world.pass(1ms);  // its end is noticed
    const TimePoint began = world.loop.now();
    co_await ask(world, c, {"PING"}, result, 500ms);
    EXPECT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, Code::timeout);
    EXPECT_EQ(result.error().retry, Retry::always) << "it never left";
    EXPECT_THAT(result.error().context, HasSubstr("redis 10.0.0.2:6379: cannot be reached"));
    EXPECT_GE(world.loop.now() - began, 500ms);

    io::TaskGroup group;
    group.spawn(ask(world, c, {"PING"}, result));
    co_await world.pass(100ms);
    s = std::make_unique<Server>(world.loop, world.host, world.at);
    co_await group.drained();
    EXPECT_EQ(text_of(result), "OK");
  };
  w.run(test(w, server, client.connection));
}

TEST(RedisConnection, PausesGrowBetweenAttemptsAndAreDrawn) {
  World w;
  Server server(w.loop, w.host, w.at);
  server.hello = "-ERR max number of clients reached\r\n";
  Client client(w);
  static constexpr auto test = [](World& world, Server& s, Connection& c) -> io::Task<void> {
    Result<Reply> result;
    co_await ask(world, c, {"PING"}, result, 60s);
    EXPECT_THAT(text_of(result), HasSubstr("max number of clients"));
    EXPECT_GE(s.connections, 60);  // one a second at the slowest
    EXPECT_LE(s.connections, 130);
    const int attempts = s.connections;
    co_await world.pass(60s);
    EXPECT_EQ(s.connections, attempts) << "nobody wants anything";
  };
  w.run(test(w, server, client.connection));
}

TEST(RedisConnection, ASilentServerIsLeftAfterHalfATimeOut) {
  World w;
  Server server(w.loop, w.host, w.at);
  Client client(w, {.timeout = 2s, .silence = 1s});
  static constexpr auto test = [](World& world, Server& s, Connection& c) -> io::Task<void> {
    Result<Reply> result;
    co_await ask(world, c, {"PING"}, result);
    EXPECT_EQ(text_of(result), "OK");
    co_await world.pass(600s);  // nothing is due: silence is no fault
    EXPECT_TRUE(c.connected());
    s.mute = true;
    const TimePoint began = world.loop.now();
    co_await ask(world, c, {"PING"}, result);
    EXPECT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, Code::closed);
    EXPECT_GE(world.loop.now() - began, 1s);
    EXPECT_LT(world.loop.now() - began, 1100ms);
    s.mute = false;
    co_await ask(world, c, {"PING"}, result);
    EXPECT_EQ(text_of(result), "OK");
    EXPECT_EQ(s.connections, 2);
  };
  w.run(test(w, server, client.connection));
}

TEST(RedisConnection, ACommandEndsAtItsDeadlineAndItsConnectionDoesNot) {
  World w;
  Server server(w.loop, w.host, w.at);
  Client client(w, {.timeout = 2s, .silence = 1s});
  static constexpr auto test = [](World& world, Server& s, Connection& c) -> io::Task<void> {
    Result<Reply> result;
    EXPECT_TRUE((co_await c.ready(world.loop.now() + 2s)).has_value());
    s.answer = [](const Words& words) { return words[0] == "SLOW" ? "" : "+late\r\n"; };
    co_await ask(world, c, {"SLOW"}, result, 100ms);
    EXPECT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, Code::timeout);
    EXPECT_EQ(result.error().retry, Retry::never);
    EXPECT_TRUE(c.connected());
  };
  w.run(test(w, server, client.connection));
}

TEST(RedisConnection, CommandsInOnePieceHaveTheirRepliesTogether) {
  World w;
  Server server(w.loop, w.host, w.at);
  server.answer = [](const Words& words) { return "+" + words[0] + "\r\n"; };
  Client client(w);
  static constexpr auto test = [](World& world, Connection& c) -> io::Task<void> {
    const auto reply =
        co_await c.call(format_command({"ASKING"}) + format_command({"GET", "x"}), world.loop.now() + 2s, 2);
    EXPECT_TRUE(reply.has_value());
    if (!reply) co_return;
    EXPECT_EQ(reply->elements.size(), 2u);
    EXPECT_EQ(reply->elements.back().text, "GET");
    Result<Reply> later;
    co_await ask(world, c, {"NEXT"}, later);
    EXPECT_EQ(text_of(later), "NEXT");
  };
  w.run(test(w, client.connection));
}

TEST(RedisConnection, OctetsThatAreNoReplyEndIt) {
  World w;
  Server server(w.loop, w.host, w.at);
  Client client(w);
  static constexpr auto test = [](World& world, Server& s, Connection& c) -> io::Task<void> {
    Result<Reply> result;
    s.answer = [](const Words& words) { return words[0] == "CLIENT" ? "" : "what?\r\n"; };
    co_await ask(world, c, {"PING"}, result);
    EXPECT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, Code::closed);
    s.answer = [](const Words& words) { return words[0] == "CLIENT" ? "" : "+1\r\n+2\r\n"; };
    co_await ask(world, c, {"PING"}, result);
    EXPECT_EQ(text_of(result), "1");
    s.answer = {};
    co_await ask(world, c, {"PING"}, result);
    EXPECT_EQ(text_of(result), "OK") << "not the 2 that nobody asked for";
    EXPECT_EQ(s.connections, 3);
  };
  w.run(test(w, server, client.connection));
}

TEST(RedisConnection, WhyItDoesNotConnectIsToldInASentence) {
  const auto info = [](std::string from, std::string to) {
    std::string text = Server::kInfo;
    return text.replace(text.find(from), from.size(), to);
  };
  const struct {
    const char* command;  // whose answer is…
    std::string answer;
    std::string info;
    Code code;
    const char* says;
  } rows[] = {
      {"AUTH", "-WRONGPASS invalid username-password pair or user is disabled.\r\n", "",
       Code::invalid_argument, "wrong user or password"},
      {"AUTH", "-ERR AUTH <password> called without any password configured for the default user.\r\n", "",
       Code::invalid_argument, "asks for none"},
      {"SELECT", "-ERR DB index is out of range\r\n", "", Code::invalid_argument, "database"},
      {"SELECT", "-NOAUTH Authentication required.\r\n", "", Code::invalid_argument, "wants a password"},
      {"SELECT", "-NOPERM this user has no permissions to run the 'select' command\r\n", "",
       Code::invalid_argument, "'select'"},
      {"CLIENT", "-NOPERM this user has no permissions to run the 'client|setname' command\r\n",
       Server::kInfo, Code::kLast, ""},
      {"", "", info("role:master", "role:slave"), Code::store_unavailable, "replica"},
      {"", "", info("loading:0", "loading:1"), Code::store_unavailable, "loading"},
      {"", "", info("redis_mode:standalone", "redis_mode:sentinel"), Code::invalid_argument,
       "redis+sentinel"},
      {"", "", info("maxmemory:0", "maxmemory:1000000"), Code::kLast, ""},
      {"", "", info("maxmemory_policy:noeviction", "maxmemory_policy:allkeys-lru"), Code::kLast, ""},
      {"", "",
       info("maxmemory:0\r\nmaxmemory_policy:noeviction", "maxmemory:1\r\nmaxmemory_policy:volatile-ttl"),
       Code::invalid_argument, "volatile-ttl"},
      {"", "", "nothing:we:know\r\n", Code::invalid_argument, "no Redis"},
      {"SELECT", "HTTP/1.1 400 Bad Request\r\n", "", Code::invalid_argument, "is the port right"},
  };
  for (const auto& row : rows) {
    World w;
    Server server(w.loop, w.host, w.at);
    if (*row.command != '\0')
      server.answer = [&](const Words& words) { return words[0] == row.command ? row.answer : ""; };
    if (!row.info.empty()) server.info = row.info;
    Client client(w, {.password = Secret("hunter2"), .database = 1});
    Result<ServerFacts> ready;
    static constexpr auto test = [](World& world, Connection& c, Result<ServerFacts>& out) -> io::Task<void> {
      out = co_await c.ready(world.loop.now() + 3s);
    };
    w.run(test(w, client.connection, ready));
    EXPECT_EQ(ready.has_value(), row.code == Code::kLast) << row.says;
    if (ready) continue;
    EXPECT_EQ(code_name(ready.error().code), code_name(row.code)) << ready.error().context;
    EXPECT_THAT(ready.error().context, HasSubstr("redis 10.0.0.2:6379: "));
    EXPECT_THAT(ready.error().context, HasSubstr(row.says));
    EXPECT_THAT(ready.error().context, testing::Not(HasSubstr("hunter2")));
  }
}

TEST(RedisConnection, AServerThatNeverGreetsIsGivenUp) {
  World w;
  Server server(w.loop, w.host, w.at);
  server.mute = true;
  Client client(w, {.timeout = 2s});
  static constexpr auto test = [](World& world, Connection& c) -> io::Task<void> {
    const TimePoint began = world.loop.now();
    const auto ready = co_await c.ready(world.loop.now() + 3s);
    EXPECT_FALSE(ready.has_value());
    EXPECT_THAT(ready.error().context, HasSubstr("does not answer"));
    EXPECT_GE(world.loop.now() - began, 2s);
    EXPECT_LT(world.loop.now() - began, 2100ms);
  };
  w.run(test(w, client.connection));
}

TEST(RedisConnection, CanBeDestroyedAtAnyTime) {
  for (int turns = 0; turns < 40; ++turns) {
    World w;
    Server server(w.loop, w.host, w.at);
    Result<Reply> result;
    static constexpr auto wait = [](World& world, int steps) -> io::Task<void> {
      co_await world.pass(steps * std::chrono::microseconds(25));
    };
    Client client(w);
    io::TaskGroup group;
    group.spawn(ask(w, client.connection, {"PING"}, result));
    w.run(wait(w, turns));
  }
}

TEST(RedisConnection, WithoutPatienceNothingWaitsForAnotherAttempt) {
  for (const bool patient : {true, false}) {
    World w;  // nobody listens
    Client client(w, {.patient = patient});
    Result<Reply> result;
    const TimePoint start = w.loop.now();
    w.run(ask(w, client.connection, {"PING"}, result));
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, patient ? Code::timeout : Code::closed);
    EXPECT_EQ(result.error().retry, Retry::always);
    EXPECT_THAT(result.error().context, HasSubstr("refused"));
    EXPECT_EQ(w.loop.now() - start >= 2s, patient);
  }
}

}  // namespace
}  // namespace stateway::store::redis
