// A store over a Redis Cluster while its slots move and its masters die: what was acknowledged is there
// afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "redis_cluster.h"
#include "store/loop_thread.h"
#include "store/redis/keys.h"
#include "store/redis/redis_store.h"
#include "store/redis/slots.h"
#include "store/store_fixture.h"
#include "wait.h"
#include "writers.h"

namespace stateway::store {
namespace {

using stores::RedisCluster;
using stores::Writers;

/// A store that two loops use, over a cluster of its own.
class TroubledCluster : public testing::Test {
 protected:
  static constexpr std::size_t kWriters = 40;

  static constexpr std::chrono::milliseconds kLonger = 20s;  // than a failover takes

  StoreOptions options() {
    StoreOptions options;
    options.kind = Kind::redis;
    std::string url;
    for (const std::string& one : cluster_.addresses()) url += (url.empty() ? "redis+cluster://" : ",") + one;
    options.url = Secret(url);
    options.durability = Durability::memory;
    options.timeout = kLonger;
    return options;
  }
  void open() { open(options()); }
  void open(const StoreOptions& options) {
    auto made = redis::RedisStore::make(options, clock_);
    ASSERT_TRUE(made.has_value()) << made.error().context;
    store_ = std::move(*made);
    for (LoopThread* on : {&loop_, &other_loop_}) store_->attach(on->loop(), on->network());
    const auto opened = loop_.run([this](io::Loop& loop) { return store_->open(loop); });
    ASSERT_TRUE(opened.has_value()) << opened.error().context;
  }
  void TearDown() override {
    if (store_ == nullptr) return;
    for (LoopThread* on : {&loop_, &other_loop_})
      on->run([this](io::Loop& loop) { return detach_from(loop, *store_); });
  }

  static std::vector<std::string> keys() {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < kWriters; ++i) out.push_back("writer " + std::to_string(10000 + i));
    return out;
  }
  Writers writers() { return Writers({&loop_, &other_loop_}, *store_, keys(), clock_.now() + 3'600'000); }
  static RedisCluster::Slot slot_of(std::size_t writer) {
    return redis::slot_of(redis::record_key(keys()[writer]));
  }
  std::vector<std::size_t> owners() {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < kWriters; ++i) out.push_back(cluster_.master_of(slot_of(i)));
    return out;
  }

  SystemClock clock_;
  RedisCluster cluster_;
  LoopThread loop_;
  LoopThread other_loop_;
  std::unique_ptr<redis::RedisStore> store_;
};

TEST_F(TroubledCluster, SlotsThatMoveUnderCommitsLoseNothing) {
  open();
  Writers writers = this->writers();
  writers.wait_for_commits(5);
  const auto epoch = store_->epoch();
  for (std::size_t round = 1; round <= 2; ++round) {
    for (std::size_t i = 0; i < kWriters; ++i) {
      const std::size_t to = (cluster_.master_of(slot_of(i)) + 1) % 3;
      cluster_.begin_move(slot_of(i), to);
      if (i % 10 == 0) writers.wait_for_commits(1);  // while its keys are at either end
      while (cluster_.move_keys(slot_of(i), to) > 0) {
      }
      if (i % 10 == 5) writers.wait_for_commits(1);  // while the old owner sends all commands on
      cluster_.end_move(slot_of(i), to);
    }
    writers.wait_for_commits(3);
  }
  writers.stop();
  EXPECT_EQ(writers.failed(), 0u) << writers.last_error();
  EXPECT_EQ(writers.lost(), 0u);
  EXPECT_EQ(writers.wrong(), 0u);
  EXPECT_NE(store_->epoch(), epoch);
}

TEST_F(TroubledCluster, WhenAMasterIsKilledOthersLoseNothingAndItsHeirGoesOn) {
  open();
  Writers writers = this->writers();
  writers.wait_for_commits(20);
  const auto before = owners();
  const auto epoch = store_->epoch();
  cluster_.node(0).kill();
  const std::size_t heir = cluster_.wait_for_another_master(0, 0);
  EXPECT_EQ(heir, 3u);
  writers.wait_for_commits(20);
  cluster_.node(0).start();
  cluster_.wait_until_healthy();
  writers.wait_for_commits(20);
  writers.stop();
  EXPECT_EQ(writers.failed(), 0u) << writers.last_error();
  EXPECT_EQ(writers.wrong(), 0u);
  EXPECT_NE(store_->epoch(), epoch);
  for (std::size_t i = 0; i < kWriters; ++i)
    if (before[i] != 0) EXPECT_EQ(writers.lost(i), 0u) << "of a master that lived: " << i;
  // Redis replicates after it answers: the last commits before the kill may be gone.
  RecordProperty("acknowledged", std::to_string(writers.acknowledged()));
  RecordProperty("lost", std::to_string(writers.lost()));
}

TEST_F(TroubledCluster, WithAReplicaThatHasThemNoAcknowledgedCommitsAreLost) {
  StoreOptions replicated = options();
  replicated.replicas = 1;
  open(replicated);
  Writers writers = this->writers();
  writers.wait_for_commits(10);
  for (std::size_t i = 0; i < 2; ++i) {
    cluster_.node(i).kill();
    EXPECT_EQ(cluster_.wait_for_another_master(static_cast<RedisCluster::Slot>(5500 * i), i), i + 3);
    cluster_.node(i).start();
    cluster_.wait_until_healthy();
    writers.wait_for_commits(5);
  }
  cluster_.move(slot_of(0), slot_of(0), (cluster_.master_of(slot_of(0)) == 3 ? 4 : 3));
  writers.wait_for_commits(5);
  writers.stop();
  EXPECT_EQ(writers.lost(), 0u);
  EXPECT_EQ(writers.wrong(), 0u);
}

TEST_F(TroubledCluster, WhatCommitsSurviveIsWhatEveryMasterKeeps) {
  StoreOptions durable = options();
  durable.durability = Durability::sync;
  const auto effective = [&] {
    const auto made = redis::RedisStore::make(durable, clock_).value();
    const auto checked = made->check();
    EXPECT_TRUE(checked.has_value()) << checked.error().context;
    return std::string(made->stats().durability);
  };
  const auto set_all = [&](const char* name, const char* value) {
    for (std::size_t i = 0; i < cluster_.size(); ++i) cluster_.node(i).must({"CONFIG", "SET", name, value});
  };
  EXPECT_EQ(effective(), "memory");
  set_all("appendonly", "yes");
  EXPECT_EQ(effective(), "os");
  set_all("appendfsync", "always");
  EXPECT_EQ(effective(), "sync");
  cluster_.node(2).must({"CONFIG", "SET", "appendfsync", "everysec"});
  EXPECT_EQ(effective(), "os");
  cluster_.node(2).must({"CONFIG", "SET", "appendfsync", "always"});
  cluster_.node(1).must({"CONFIG", "SET", "appendonly", "no"});
  EXPECT_EQ(effective(), "memory");
}

TEST_F(TroubledCluster, AFrozenMasterIsLeftForItsHeir) {
  open();
  Writers writers = this->writers();
  writers.wait_for_commits(5);
  cluster_.node(1).freeze();
  writers.wait_for_commits(5);
  cluster_.node(1).thaw();
  cluster_.wait_until_healthy();
  writers.wait_for_commits(5);
  writers.stop();
  EXPECT_EQ(writers.failed(), 0u) << writers.last_error();
  EXPECT_EQ(writers.wrong(), 0u);
}

TEST_F(TroubledCluster, WithoutAnHeirItIsUnavailableAndComesBack) {
  StoreOptions hasty = options();
  hasty.timeout = 2s;
  open(hasty);
  const auto load = [&](const std::string& key) {
    return loop_.run([this, key](io::Loop& loop) { return store_->load(loop, key); });
  };
  ASSERT_TRUE(load("a").has_value());
  const auto partition = store_->partition("a");
  const std::size_t owner = cluster_.master_of(redis::slot_of(redis::record_key("a")));
  cluster_.node(owner + 3).kill();
  cluster_.node(owner).kill();
  const auto away = load("a");
  ASSERT_FALSE(away.has_value());
  EXPECT_EQ(away.error().code, Code::store_unavailable);
  EXPECT_EQ(store_->partition("a"), partition);
  cluster_.node(owner).start();
  cluster_.node(owner + 3).start();
  cluster_.wait_until_healthy();
  EXPECT_TRUE(load("a").has_value());
}

}  // namespace
}  // namespace stateway::store
