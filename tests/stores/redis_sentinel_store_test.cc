// The contract of stores over a master that sentinels watch, and what happens when there is another one.
#include <gmock/gmock.h>

#include "redis_sentinel.h"
#include "store/contract_test.h"
#include "store/lease_contract_test.h"
#include "store/redis/redis_store.h"
#include "store/repeat_contract_test.h"
#include "store/room_contract_test.h"
#include "wait.h"
#include "writers.h"

namespace stateway::store {
namespace {

using stores::RedisSentinel;
using stores::Writers;

StoreOptions options_for(const RedisSentinel& group) {
  std::string url = "redis+sentinel://";
  for (const std::string& one : group.addresses()) url += (url.back() == '/' ? "" : ",") + one;
  StoreOptions options;
  options.kind = Kind::redis;
  options.url = Secret(url + "/" + RedisSentinel::kName);
  options.durability = Durability::memory;
  options.timeout = 20s;  // longer than a failover takes, and sanitizers are slow
  return options;
}

struct WatchedRedis {
  static RedisSentinel& group() {
    static RedisSentinel one;
    return one;
  }
  std::unique_ptr<StateStore> make(const WallClock& clock, std::uint64_t records_max) {
    group().server(0).must({"FLUSHALL"});
    StoreOptions options = options_for(group());
    options.sessions_max = records_max;
    options.clock_margin = 0s;  // the clock of these tests is far from the servers'
    return redis::RedisStore::make(options, clock).value();
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(RedisSentinel, StoreContract, WatchedRedis);
INSTANTIATE_TYPED_TEST_SUITE_P(RedisSentinel, StoreRepeats, WatchedRedis);
INSTANTIATE_TYPED_TEST_SUITE_P(RedisSentinel, StoreRoom, WatchedRedis);
INSTANTIATE_TYPED_TEST_SUITE_P(RedisSentinel, StoreLeases, WatchedRedis);

/// A store over a group of its own.
class Failover : public testing::Test {
 protected:
  void open(std::uint32_t replicas = 0) {
    StoreOptions options = options_for(group_);
    options.replicas = replicas;
    store_ = redis::RedisStore::make(options, clock_).value();
    store_->attach(loop_.loop(), loop_.network());
    const auto opened = loop_.run([this](io::Loop& loop) { return store_->open(loop); });
    ASSERT_TRUE(opened.has_value()) << opened.error().context;
  }
  void TearDown() override {
    if (store_ == nullptr) return;
    loop_.run([this](io::Loop& loop) { return detach_from(loop, *store_); });
  }
  Writers writers() {
    std::vector<std::string> keys;
    for (int i = 0; i < 20; ++i) keys.push_back("writer " + std::to_string(10000 + i));
    return Writers({&loop_}, *store_, keys, clock_.now() + 3'600'000);
  }

  SystemClock clock_;
  RedisSentinel group_;
  LoopThread loop_;
  std::unique_ptr<redis::RedisStore> store_;
};

TEST_F(Failover, OfAMasterThatIsWellGoesUnnoticed) {
  open();
  Writers writers = this->writers();
  writers.wait_for_commits(5);
  const std::uint64_t epoch = store_->epoch();
  group_.fail_over();
  group_.wait_for_another_master(0);
  group_.wait_until_healthy();
  writers.wait_for_commits(10);
  writers.stop();
  EXPECT_EQ(writers.failed(), 0u) << writers.last_error();
  EXPECT_EQ(writers.wrong(), 0u);
  EXPECT_NE(store_->epoch(), epoch);
}

TEST_F(Failover, WhatAReplicaConfirmedOutlivesTheMaster) {
  open(1);
  Writers writers = this->writers();
  writers.wait_for_commits(10);
  const std::uint64_t epoch = store_->epoch();
  group_.server(0).kill();
  group_.wait_for_another_master(0);
  writers.wait_for_commits(5);
  writers.stop();
  EXPECT_EQ(writers.lost(), 0u) << "the replica that has most is elected";
  EXPECT_EQ(writers.wrong(), 0u);
  EXPECT_NE(store_->epoch(), epoch);
}

TEST_F(Failover, AFrozenMasterIsLeft) {
  open();
  Writers writers = this->writers();
  writers.wait_for_commits(5);
  group_.server(0).freeze();
  group_.wait_for_another_master(0);
  writers.wait_for_commits(5);
  group_.server(0).thaw();
  group_.wait_until_healthy();
  writers.wait_for_commits(5);
  writers.stop();
  EXPECT_EQ(writers.failed(), 0u) << writers.last_error();
  EXPECT_EQ(writers.wrong(), 0u);
}

TEST(RedisSentinelUrl, WhatIsWrongIsToldInASentence) {
  RedisSentinel group({.replicas = 1, .sentinels = 1});
  const SystemClock clock;
  const auto why = [&](const std::string& servers, const std::string& name) {
    StoreOptions options = options_for(group);
    options.timeout = 2s;
    options.url = Secret("redis+sentinel://" + servers + "/" + name);
    const auto checked = redis::RedisStore::make(options, clock).value()->check();
    return checked ? std::string() : checked.error().context;
  };
  const std::string sentinel = group.addresses().front();
  EXPECT_EQ(why(sentinel, RedisSentinel::kName), "");
  EXPECT_EQ(why("127.0.0.1:1," + sentinel, RedisSentinel::kName), "") << "one of them is enough";
  EXPECT_THAT(why(sentinel, "other"), testing::HasSubstr("knows no master other"));
  EXPECT_THAT(why("127.0.0.1:1", RedisSentinel::kName), testing::HasSubstr("sentinel 127.0.0.1:1"));
  EXPECT_THAT(why(group.server(0).address(), RedisSentinel::kName), testing::HasSubstr("unknown command"));
}

}  // namespace
}  // namespace stateway::store
