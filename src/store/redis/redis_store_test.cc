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

struct Opened {
  explicit Opened(World& w, std::uint32_t replicas = 0) : loop(w.loop) {
    StoreOptions options;
    options.kind = Kind::redis;
    options.url = Secret("redis://10.0.0.2:6379");
    options.replicas = replicas;
    options.durability = Durability::memory;
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
  Opened opened(w, 1);
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
  Opened opened(w, 1);
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

}  // namespace
}  // namespace stateway::store::redis
