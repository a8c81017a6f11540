// What a store does when its servers and its callers go at the wrong moment.
#include "store/redis/redis_store.h"

#include <gtest/gtest.h>

#include "store/batch.h"
#include "store/redis/scripts.h"
#include "store/redis/test_server.h"

namespace stateway::store::redis {
namespace {

using test::Server;
using test::Words;
using test::World;

bool runs(const Words& words, const Script& script) {
  return words.size() > 1 && words[0] == "EVALSHA" && words[1] == script.name;
}

StoreOptions options_for(std::uint32_t replicas = 0, Durability durability = Durability::memory) {
  StoreOptions options;
  options.kind = Kind::redis;
  options.url = Secret("redis://10.0.0.2:6379");
  options.replicas = replicas;
  options.durability = durability;
  return options;
}

struct Opened {
  explicit Opened(World& w, const StoreOptions& options = options_for()) : loop(w.loop) {
    store = RedisStore::make(options, clock).value();
    store->attach(w.loop, w.client);
  }
  ~Opened() { store->detach(loop); }

  io::Loop& loop;
  ManualClock clock;
  std::unique_ptr<RedisStore> store;
};

TEST(RedisStore, ACommitFollowsItsKeyToTheHeir) {
  World w;
  Server server(w.loop, w.host, w.at);
  int scripts = 0;
  server.answer = [&](const Words& words) -> std::string {
    if (words[0] == "INFO" || words[0] == "CLIENT") return "";
    if (words[0] == "WAIT") return ":1\r\n";
    if (words[0] != "EVALSHA") return "+OK\r\n";
    if (!runs(words, commit_script())) return ":1\r\n";
    if (scripts++ > 0) return "*1\r\n$6\r\nREPEAT\r\n";
    server.become("its heir........");  // the next connection, for WAIT, reaches it
    return "*2\r\n$2\r\nOK\r\n$1\r\n0\r\n";
  };
  Opened opened(w, options_for(1));
  static constexpr auto test = [](World& world, RedisStore& s) -> io::Task<void> {
    Batch batch =
        one_write("abcdefghijkl", 1, Record{.revision = 2, .expires_at = 1'000'000'000, .value = "x"});
    batch.id = {7, 1};
    const auto committed = co_await s.commit(world.loop, std::move(batch));
    EXPECT_TRUE(committed.has_value()) << committed.error().context;
  };
  w.run(test(w, *opened.store));
  EXPECT_EQ(scripts, 2);
}

TEST(RedisStore, ACommitThatNoServerKeepsIsTriedWithPauses) {
  World w;
  Server server(w.loop, w.host, w.at);
  int scripts = 0;
  server.answer = [&](const Words& words) -> std::string {
    if (words[0] == "INFO" || words[0] == "CLIENT") return "";
    if (words[0] == "WAIT") return ":1\r\n";
    if (words[0] != "EVALSHA") return "+OK\r\n";
    if (!runs(words, commit_script())) return ":1\r\n";
    server.become(std::to_string(1'000'000'000'000'000 + scripts++));  // each connection reaches another
    server.hang_up_after = 4;
    return "*1\r\n$6\r\nREPEAT\r\n";
  };
  Opened opened(w, options_for(1));
  static constexpr auto test = [](World& world, RedisStore& s) -> io::Task<void> {
    Batch batch =
        one_write("abcdefghijkl", 1, Record{.revision = 2, .expires_at = 1'000'000'000, .value = "x"});
    batch.id = {7, 1};
    const auto committed = co_await s.commit(world.loop, std::move(batch));
    EXPECT_FALSE(committed.has_value());
  };
  w.run(test(w, *opened.store));
  EXPECT_GE(scripts, 2);
  EXPECT_LT(scripts, 100);
}

TEST(RedisStore, ALeaseThatNobodyWaitsForIsGivenBack) {
  World w;
  Server server(w.loop, w.host, w.at);
  std::string taken, given_back;
  server.answer = [&](const Words& words) -> std::string {
    if (words[0] == "INFO" || words[0] == "CLIENT") return "";
    if (runs(words, take_script())) taken = words[4];
    if (runs(words, give_back_script())) given_back = words[4];
    return runs(words, take_script()) ? "" : ":1\r\n";
  };
  Opened opened(w);
  static constexpr auto wait = [](World& world, Leases& leases) -> io::Task<void> {
    (void)co_await leases.take(world.loop, "abcdefghijkl", 5s);
  };
  static constexpr auto test = [](World& world, RedisStore& s, const std::string& token) -> io::Task<void> {
    {
      io::TaskGroup client;
      client.spawn(wait(world, *s.leases()));
      while (token.empty()) co_await world.pass(1ms);
    }  // it hangs up
    co_await world.pass(5s);
  };
  w.run(test(w, *opened.store, taken));
  EXPECT_FALSE(taken.empty());
  EXPECT_EQ(given_back, taken);
}

TEST(RedisStore, ALeaseThatIsNotAnsweredIsGivenBack) {
  World w;
  Server server(w.loop, w.host, w.at);
  std::string taken, given_back;
  server.answer = [&](const Words& words) -> std::string {
    if (words[0] == "INFO" || words[0] == "CLIENT") return "";
    if (runs(words, take_script())) taken = words[4];
    if (runs(words, give_back_script())) given_back = words[4];
    return runs(words, take_script()) ? "" : ":1\r\n";
  };
  Opened opened(w);
  static constexpr auto test = [](World& world, RedisStore& s) -> io::Task<void> {
    const auto token = co_await s.leases()->take(world.loop, "abcdefghijkl", 5s);
    EXPECT_FALSE(token.has_value());
    co_await world.pass(1s);
  };
  w.run(test(w, *opened.store));
  EXPECT_FALSE(taken.empty());
  EXPECT_EQ(given_back, taken);
}

std::string text(const std::string& value) {
  return "$" + std::to_string(value.size()) + "\r\n" + value + "\r\n";
}

/// What a server without any data says, whose clock shows `millis`.
std::string of_an_empty_server(const Words& words, WallMillis millis) {
  if (words[0] == "INFO" || words[0] == "CLIENT") return "";
  if (words[0] == "TIME")
    return "*2\r\n" + text(std::to_string(millis / 1000)) + text(std::to_string(millis % 1000 * 1000));
  if (words[0] == "ZRANGEBYSCORE") return "*0\r\n";
  return ":0\r\n";
}

io::Task<void> sweep(World& world, RedisStore& store, int times, int& failed) {
  for (int i = 0; i < times; ++i) {
    const auto swept = co_await store.sweep(world.loop, 100);
    if (!swept) ++failed;
  }
}

TEST(RedisStore, OnlyAClockThatIsRightRemovesSessions) {
  const struct {
    Duration ahead;
    bool removes;
  } rows[] = {{0s, true}, {60s, true}, {-60s, true}, {61s, false}, {-61s, false}, {-86400s, false}};
  for (const auto& row : rows) {
    World w;
    Server server(w.loop, w.host, w.at);
    Opened opened(w);
    const WallMillis now = opened.clock.now();
    const WallMillis there = now - std::chrono::duration_cast<std::chrono::milliseconds>(row.ahead).count();
    std::string until;
    server.answer = [&](const Words& words) {
      if (words[0] == "ZRANGEBYSCORE") until = words[3];
      return of_an_empty_server(words, there);
    };
    int failed = 0;
    w.run(sweep(w, *opened.store, 1, failed));
    EXPECT_EQ(failed, 0);
    EXPECT_EQ(until, row.removes ? std::to_string(now - 60'000) : "") << row.ahead.count();
  }
}

TEST(RedisStore, AServerThatDoesNotTellItsTimeIsSweptAllTheSame) {
  World w;
  Server server(w.loop, w.host, w.at);
  Opened opened(w);
  int looks = 0;
  server.answer = [&](const Words& words) -> std::string {
    if (words[0] == "TIME") return "-NOPERM this user has no permissions to run the 'time' command\r\n";
    looks += words[0] == "ZRANGEBYSCORE" ? 1 : 0;
    return of_an_empty_server(words, 0);
  };
  int failed = 0;
  w.run(sweep(w, *opened.store, 1, failed));
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(looks, 256);
}

TEST(RedisStore, ASweepBringsBackTheEntryOfALogIn) {
  World w;
  Server server(w.loop, w.host, w.at);
  Opened opened(w);
  const WallMillis now = opened.clock.now();
  bool due = true;
  Words added;
  server.answer = [&](const Words& words) -> std::string {
    if (words[0] == "ZADD") added = words;
    if (words[0] == "ZRANGEBYSCORE" && words[1] == "stateway:index:61" && std::exchange(due, false))
      return "*1\r\n" + text("abcdefghijkl");
    if (runs(words, expire_script())) return "*2\r\n" + text(std::to_string(now + 1000)) + text("ann");
    return of_an_empty_server(words, now);
  };
  int failed = 0;
  w.run(sweep(w, *opened.store, 1, failed));
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(added, (Words{"ZADD", "stateway:principal:YW5u", "0", "abcdefghijkl"}));
}

TEST(RedisStore, WhatIsSetWhileAServerRunsIsSeen) {
  World w;
  Server server(w.loop, w.host, w.at);
  Opened opened(w, options_for(0, Durability::sync));
  std::string pauses = "no";
  server.answer = [&](const Words& words) -> std::string {
    if (words[0] == "WAITAOF") return "-ERR unknown command\r\n";
    if (words[0] == "CONFIG")
      return "*4\r\n" + text("no-appendfsync-on-rewrite") + text(pauses) + text("appendfsync") +
             text("always");
    return of_an_empty_server(words, opened.clock.now());
  };
  const auto set = [&](const char* from, const char* to) {
    server.info.replace(server.info.find(from), std::string_view(from).size(), to);
  };
  const auto effective_after_ten_sweeps = [&] {
    int failed = 0;
    w.run(sweep(w, *opened.store, 10, failed));
    EXPECT_EQ(failed, 0);
    return std::string(opened.store->stats().durability);
  };
  set("aof_enabled:0", "aof_enabled:1");
  EXPECT_EQ(effective_after_ten_sweeps(), "sync");
  pauses = "yes";
  EXPECT_EQ(effective_after_ten_sweeps(), "os") << "it does not sync while it rewrites";
  set("aof_enabled:1", "aof_enabled:0");
  EXPECT_EQ(effective_after_ten_sweeps(), "memory");
  set("aof_enabled:0", "aof_enabled:1");
  pauses = "no";
  EXPECT_EQ(effective_after_ten_sweeps(), "sync");
  set("maxmemory:0", "maxmemory:100");
  set("maxmemory_policy:noeviction", "maxmemory_policy:allkeys-lru");
  EXPECT_EQ(effective_after_ten_sweeps(), "memory") << "it throws sessions away";
}

}  // namespace
}  // namespace stateway::store::redis
