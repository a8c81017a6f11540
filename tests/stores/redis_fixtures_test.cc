// The servers that other tests stand on.
#include <gtest/gtest.h>
#include <signal.h>

#include <set>

#include "redis_cluster.h"
#include "redis_sentinel.h"
#include "redis_server.h"
#include "wait.h"

namespace stateway::stores {
namespace {

TEST(RedisServer, KeepsItsPortAndWhatItWroteToItsLog) {
  RedisServer server({.directives = {"appendonly yes", "appendfsync always"}, .password = "a \"b\" \\c"});
  const std::string first_run = server.info("run_id");
  EXPECT_TRUE(server.must({"SET", "key", std::string("a\0b", 3)}) == "OK");
  server.kill();
  EXPECT_FALSE(server.answers());
  EXPECT_FALSE(RedisClient(server.address(), "a \"b\" \\c").answers());
  server.start();
  EXPECT_EQ(server.must({"GET", "key"}).text, std::string("a\0b", 3));
  EXPECT_NE(server.info("run_id"), first_run);
  server.stop();
  EXPECT_FALSE(server.running());
  server.start();
  EXPECT_EQ(server.must({"STRLEN", "key"}).integer, 3);
  EXPECT_TRUE(RedisClient(server.address(), "a \"b\" \\c").answers());
  EXPECT_FALSE(RedisClient(server.address(), "another").answers());
  EXPECT_THROW(server.must({"NO-SUCH-COMMAND"}), std::runtime_error);
}

TEST(RedisServer, FrozenItKeepsConnectionsAndAnswersNothing) {
  RedisServer server;
  RedisClient hasty(server.address(), "", 50ms);
  EXPECT_TRUE(hasty.answers());
  server.freeze();
  EXPECT_FALSE(hasty.answers());
  server.thaw();
  wait_until("it answers again", [&] { return hasty.answers(); });
  EXPECT_TRUE(server.running());
}

TEST(RedisServer, IsGoneWithItsFolderAtTheEnd) {
  std::string folder;
  pid_t pid = 0;
  {
    RedisServer server;
    folder = server.folder();
    pid = server.pid();
    EXPECT_TRUE(std::filesystem::exists(folder));
  }
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(RedisServer, WhatCannotStartSaysWhy) {
  try {
    RedisServer server({.directives = {"no-such-directive yes"}});
    FAIL() << "it started";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("no-such-directive"), std::string::npos);
  }
}

TEST(RedisCluster, ServesAllSlotsMovesThemAndSurvivesAMaster) {
  RedisCluster cluster({.password = "secret"});
  ASSERT_EQ(cluster.size(), 6u);
  std::set<std::size_t> masters;
  for (const RedisCluster::Slot slot : {0, 5461, 10923, 16383}) masters.insert(cluster.master_of(slot));
  EXPECT_EQ(masters, (std::set<std::size_t>{0, 1, 2}));
  EXPECT_EQ(cluster.replicas_of(1), std::vector<std::size_t>{4});

  const RedisCluster::Slot slot = cluster.slot_of("{user1000}.following");
  EXPECT_EQ(slot, cluster.slot_of("user1000"));
  const std::size_t from = cluster.master_of(slot);
  const std::size_t to = (from + 1) % 3;
  RedisServer& owner = cluster.node(from);
  for (const char* key : {"{user1000}1", "{user1000}2"}) owner.must({"SET", key, "here"});
  EXPECT_TRUE(cluster.node(to).ask({"GET", "{user1000}1"}).text.starts_with("MOVED "));

  cluster.begin_move(slot, to);
  EXPECT_TRUE(owner.must({"GET", "{user1000}1"}) == "here");
  EXPECT_TRUE(owner.ask({"GET", "{user1000}3"}).text.starts_with("ASK "));
  EXPECT_EQ(cluster.move_keys(slot, to, 1), 1u);
  EXPECT_TRUE(owner.ask({"MGET", "{user1000}1", "{user1000}2"}).text.starts_with("TRYAGAIN "));
  EXPECT_EQ(cluster.move_keys(slot, to), 1u);
  cluster.end_move(slot, to);
  cluster.wait_until_healthy();
  EXPECT_EQ(cluster.master_of(slot), to);
  EXPECT_TRUE(cluster.node(to).must({"GET", "{user1000}2"}) == "here");
  EXPECT_TRUE(owner.ask({"GET", "{user1000}1"}).text.starts_with("MOVED "));
  const auto low = static_cast<RedisCluster::Slot>(slot - 2);
  cluster.move(low, slot, from);
  EXPECT_EQ(cluster.master_of(slot), from);

  ASSERT_EQ(owner.must({"WAIT", "1", "5000"}).integer, 1);
  cluster.node(from).kill();
  const std::size_t heir = cluster.wait_for_another_master(slot, from);
  EXPECT_EQ(heir, from + 3);
  cluster.wait_until_healthy();
  EXPECT_TRUE(cluster.node(heir).must({"GET", "{user1000}2"}) == "here");
  cluster.node(from).start();
  cluster.wait_until_healthy();
  EXPECT_EQ(cluster.replicas_of(heir), std::vector<std::size_t>{from});
}

TEST(RedisSentinel, NamesAnotherMasterWhenOneDies) {
  RedisSentinel watched({.password = "secret", .sentinel_password = "other"});
  ASSERT_EQ(watched.size(), 3u);
  ASSERT_EQ(watched.sentinels(), 3u);
  EXPECT_EQ(watched.master(), 0u);
  watched.server(0).must({"SET", "key", "here"});
  ASSERT_EQ(watched.server(0).must({"WAIT", "2", "5000"}).integer, 2);
  EXPECT_TRUE(watched.server(1).ask({"SET", "key", "x"}).text.starts_with("READONLY "));
  watched.server(0).kill();
  const std::size_t heir = watched.wait_for_another_master(0);
  EXPECT_TRUE(watched.server(heir).must({"GET", "key"}) == "here");
  watched.server(0).start();
  watched.wait_until_healthy();
  EXPECT_EQ(watched.server(0).info("role"), "slave");
  watched.fail_over();
  EXPECT_NE(watched.wait_for_another_master(heir), heir);
}

}  // namespace
}  // namespace stateway::stores
