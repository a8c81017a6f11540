// A disk that fails or waits under the embedded store.
#include <gtest/gtest.h>

#include "store/contract_test.h"
#include "store/embedded.h"
#include "store/faulty_disk.h"
#include "store/temporary_directory.h"

namespace stateway::store {
namespace {

template <Durability kDurability, std::size_t kHotBytes, DiskCall kFailing>
struct OnFaultyDisk {
  static constexpr DiskCall failing = kFailing;
  std::unique_ptr<StateStore> make(const WallClock& clock, std::uint64_t records_max) {
    auto opened = EmbeddedStore::open({.path = directory.path() + "/state",
                                       .durability = kDurability,
                                       .memory_bytes_max = kHotBytes,
                                       .sessions_max = records_max},
                                      clock, disk->env());
    EXPECT_TRUE(opened) << opened.error().context;
    return std::move(opened).value();
  }
  TemporaryDirectory directory;
  std::unique_ptr<FaultyDisk> disk = std::make_unique<FaultyDisk>();
};

template <class Provider>
class PoisonedStore : public StoreFixture<Provider> {};
using Failures = testing::Types<OnFaultyDisk<Durability::sync, 64u << 20, DiskCall::sync>,  //
                                OnFaultyDisk<Durability::sync, 0, DiskCall::sync>,
                                OnFaultyDisk<Durability::os, 64u << 20, DiskCall::append>,
                                OnFaultyDisk<Durability::os, 0, DiskCall::append>>;
TYPED_TEST_SUITE(PoisonedStore, Failures);

TYPED_TEST(PoisonedStore, ReadsGoOnFromBeforeTheFailureAndWritesAreRefused) {
  ASSERT_TRUE(this->put("a", live(1, this->in(1000), "before", "ann")));
  this->provider_.disk->fail(TypeParam::failing);
  EXPECT_CODE(this->put("a", live(2, this->in(1000), "after")), Code::store_unavailable);
  EXPECT_TRUE(this->store_->stats().poisoned);
  EXPECT_CODE(this->put("a", live(2, this->in(1000), "after")), Code::store_poisoned);
  EXPECT_CODE(this->put("b", live(1, this->in(1000))), Code::store_poisoned);
  this->touch_only("a", this->in(1000));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(this->loaded("a"), live(1, this->in(1000), "before", "ann"));
    EXPECT_EQ(this->loaded("b"), std::nullopt);
    EXPECT_EQ(this->keys({.principal = "ann"}), Keys{"a"});
  }
  const Stats stats = this->store_->stats();
  EXPECT_EQ(stats.commits, 1u);
  EXPECT_EQ(stats.groups, 1u);
  EXPECT_EQ(stats.records, 1u);

  // The next process finds the record before or after the failed commit, and can write again.
  this->store_.reset();
  this->provider_.disk = std::make_unique<FaultyDisk>();
  this->open();
  const auto found = this->loaded("a");
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->value == "before" || found->value == "after");
  EXPECT_TRUE(this->put("a", live(found->revision + 1, this->in(1000), "healed")));
}

TYPED_TEST(PoisonedStore, EveryoneInTheFailedGroupIsToldAndTheSweepStops) {
  ASSERT_TRUE(this->put("a", live(1, this->in(1000))));
  this->provider_.disk->hold();
  std::vector<std::future<Result<Committed>>> first;
  std::vector<std::future<Result<Committed>>> queued;
  const auto start = [&](std::string key) {
    const Batch batch = one_write(std::move(key), 0, live(1, this->in(1000)));
    return this->loop_.start(
        [store = this->store_.get(), batch](io::Loop& loop) { return store->commit(loop, batch); });
  };
  first.push_back(start("b"));
  this->provider_.disk->wait_until_held();
  for (const char* key : {"c", "d", "a"}) queued.push_back(start(key));
  this->provider_.disk->fail(TypeParam::failing);
  this->provider_.disk->release();
  for (auto& commit : first) EXPECT_CODE(LoopThread::get(std::move(commit)), Code::store_unavailable);
  for (auto& commit : queued) EXPECT_CODE(LoopThread::get(std::move(commit)), Code::store_poisoned);
  this->clock_.advance(1000ms);
  const auto swept =
      this->loop_.run([store = this->store_.get()](io::Loop& loop) { return store->sweep(loop, 10); });
  EXPECT_CODE(swept, Code::store_poisoned);
  EXPECT_EQ(this->store_->stats().records, 1u);
}

using HeldDisk = StoreFixture<OnFaultyDisk<Durability::sync, 64u << 20, DiskCall::sync>>;

TEST_F(HeldDisk, WhatWaitsDuringAWriteIsOneGroupWithOneSync) {
  constexpr int kWaiting = 64;
  ASSERT_TRUE(put("n", live(1, in(1000), "0")));
  const Stats before = store_->stats();
  const int syncs_before = provider_.disk->syncs();
  provider_.disk->hold();
  const auto start = [&](LoopThread& on, std::string key) {
    const Batch batch = one_write(std::move(key), 0, live(1, in(1000)));
    return on.start([this, batch](io::Loop& loop) { return store_->commit(loop, batch); });
  };
  std::vector<std::future<Result<Committed>>> commits;
  commits.push_back(start(loop_, "first"));
  provider_.disk->wait_until_held();
  for (int i = 0; i < kWaiting; ++i)
    commits.push_back(start(i % 2 == 0 ? loop_ : other_loop_, "k" + std::to_string(i)));
  // Of one loop's tasks, one started after the others finds them queued.
  for (LoopThread* on : {&loop_, &other_loop_})
    EXPECT_TRUE(on->run([this](io::Loop& loop) { return store_->load(loop, "n"); }));
  EXPECT_EQ(store_->stats().commits, before.commits);
  provider_.disk->release();
  for (auto& commit : commits) EXPECT_EQ(LoopThread::get(std::move(commit)).value().revision, 1u);
  const Stats after = store_->stats();
  EXPECT_EQ(after.commits - before.commits, kWaiting + 1u);
  EXPECT_EQ(after.groups - before.groups, 2u);
  EXPECT_EQ(provider_.disk->syncs() - syncs_before, 2);
}

TEST_F(HeldDisk, NothingIsVisibleBeforeItIsDurable) {
  ASSERT_TRUE(put("the same tag a", live(1, in(1000), "old")));
  provider_.disk->hold();
  const Batch batch{.writes = {{.key = "the same tag a", .expected = 1, .record = live(2, in(1000), "new")},
                               {.key = "the same tag b", .expected = 0, .record = live(1, in(1000), "new")}}};
  auto commit = loop_.start([this, batch](io::Loop& loop) { return store_->commit(loop, batch); });
  provider_.disk->wait_until_held();
  EXPECT_EQ(loaded("the same tag a")->value, "old");
  EXPECT_EQ(loaded("the same tag b"), std::nullopt);
  EXPECT_EQ(keys({}), Keys{"the same tag a"});
  provider_.disk->release();
  EXPECT_TRUE(LoopThread::get(std::move(commit)));
  EXPECT_EQ(loaded("the same tag a")->value, "new");
  EXPECT_EQ(loaded("the same tag b")->value, "new");
}

TEST_F(HeldDisk, ConditionsAreJudgedAgainstEarlierCommitsOfTheSameGroup) {
  ASSERT_TRUE(put("a", live(1, in(1000), "1")));
  provider_.disk->hold();
  const auto start = [&](Batch batch) {
    return loop_.start([this, batch](io::Loop& loop) { return store_->commit(loop, batch); });
  };
  auto blocker = start(one_write("blocker", 0, live(1, in(1000))));
  provider_.disk->wait_until_held();
  auto second = start(one_write("a", 1, live(2, in(1000), "2")));
  auto late = start(one_write("a", 1, live(2, in(1000), "late")));
  auto third = start(one_write("a", 2, live(3, in(1000), "3")));
  auto removed = start(one_write("a", 3, std::nullopt));
  auto anew = start(one_write("a", 0, live(1, in(1000), "anew")));
  loop_.run([this](io::Loop& loop) { return store_->load(loop, "a"); });
  provider_.disk->release();
  EXPECT_TRUE(LoopThread::get(std::move(blocker)));
  EXPECT_TRUE(LoopThread::get(std::move(second)));
  EXPECT_CODE(LoopThread::get(std::move(late)), Code::conflict);
  EXPECT_TRUE(LoopThread::get(std::move(third)));
  EXPECT_TRUE(LoopThread::get(std::move(removed)));
  EXPECT_TRUE(LoopThread::get(std::move(anew)));
  EXPECT_EQ(loaded("a"), live(1, in(1000), "anew"));
  EXPECT_EQ(store_->stats().records, 2u);
  store_.reset();
  open();
  EXPECT_EQ(store_->stats().records, 2u);
}

TEST_F(HeldDisk, ADestroyedWaiterDoesNotUndoItsCommit) {
  provider_.disk->hold();
  const Batch batch = one_write("a", 0, live(1, in(1000), "kept"));
  auto abandoned = loop_.start([this, batch](io::Loop& loop) { return store_->commit(loop, batch); });
  provider_.disk->wait_until_held();
  loop_.cancel_all();
  EXPECT_THROW(abandoned.get(), std::future_error);
  provider_.disk->release();
  EXPECT_TRUE(put("b", live(1, in(1000))));
  EXPECT_EQ(loaded("a")->value, "kept");
}

}  // namespace
}  // namespace stateway::store
