#include "store/group.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/batch.h"
#include "store/temporary_directory.h"

namespace stateway::store {
namespace {

constexpr WallMillis kCreated = 1000;
constexpr WallMillis kExpires = 2000;

/// The sweep reads the expiry index first and asks for the erasure later: what may happen in between.
class ExpiryGroup : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = Database::open(directory_.path() + "/state", Durability::os, nullptr);
    ASSERT_TRUE(opened) << opened.error().context;
    database_ = std::move(*opened);
    group_.emplace(*database_, hot_, RecordCount{});
    step(kCreated, [&] { put(1, kExpires); });
    const auto due = database_->due(kExpires, {}, 10);
    ASSERT_TRUE(due);
    ASSERT_EQ(due->size(), 1u);
    due_ = due->front();
    EXPECT_EQ(due_.at, kExpires);
    EXPECT_EQ(due_.key, "a");
  }

  template <class F>
  void step(WallMillis now, F f) {
    group_->begin(now, 100);
    f();
    ASSERT_TRUE(group_->write());
    group_->publish();
    batches_.clear();
  }
  void put(Revision revision, WallMillis expires_at) {
    batches_.push_back(
        one_write("a", revision - 1,
                  Record{.revision = revision, .expires_at = expires_at, .principal = "ann", .value = "v"}));
    EXPECT_TRUE(group_->add(batches_.back()));
  }
  void erase(Revision expected) {
    batches_.push_back(one_write("a", expected, std::nullopt));
    EXPECT_TRUE(group_->add(batches_.back()));
  }
  void expect_kept(Revision revision, WallMillis expires_at, WallMillis indexed_at) {
    const auto found = database_->get("a", Part::whole);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->record.revision, revision);
    EXPECT_EQ((*found)->record.expires_at, expires_at);
    EXPECT_EQ((*found)->record.value, "v");
    EXPECT_EQ((*found)->indexed_at, indexed_at);
    expect_index({encode_due(indexed_at, "a")});
    EXPECT_EQ(group_->count().records, 1u);
  }
  void expect_gone() {
    const auto found = database_->get("a", Part::whole);
    ASSERT_TRUE(found);
    EXPECT_FALSE(*found);
    expect_index({});
    EXPECT_EQ(group_->count().records, 0u);
  }
  void expect_index(const std::vector<std::string>& expected) {
    const auto all = database_->due(1'000'000, {}, 10);
    ASSERT_TRUE(all);
    std::vector<std::string> entries;
    for (const Due& due : *all) entries.push_back(encode_due(due.at, due.key));
    EXPECT_EQ(entries, expected);
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_;
  HotTable hot_{1u << 20};
  std::optional<Group> group_;
  std::deque<Batch> batches_;  // their keys are looked at until publish
  Due due_;
};

TEST_F(ExpiryGroup, NothingHappened) {
  step(kExpires, [&] { EXPECT_TRUE(group_->add_expiry(due_)); });
  expect_gone();
  EXPECT_FALSE(hot_.find("a").stored);
}

TEST_F(ExpiryGroup, CommittedBeforeWithALaterExpiry) {
  step(kCreated, [&] { put(2, 3000); });
  expect_kept(2, 3000, kExpires);
  step(kExpires, [&] { EXPECT_FALSE(group_->add_expiry(due_)); });
  expect_kept(2, 3000, 3000);
  step(kExpires, [&] { EXPECT_FALSE(group_->add_expiry(due_)); });
  expect_kept(2, 3000, 3000);
}

TEST_F(ExpiryGroup, CommittedInTheSameGroup) {
  step(kExpires, [&] {
    put(1, 3000);  // over the expired one
    EXPECT_FALSE(group_->add_expiry(due_));
  });
  expect_kept(1, 3000, 3000);
}

TEST_F(ExpiryGroup, CommittedWithAnEarlierExpiry) {
  step(kCreated, [&] { put(2, 1500); });
  expect_kept(2, 1500, 1500);
  step(kExpires, [&] { EXPECT_FALSE(group_->add_expiry(due_)); });
  expect_kept(2, 1500, 1500);
}

TEST_F(ExpiryGroup, TouchedInTheHotTableAlone) {
  EXPECT_EQ(hot_.touch("a", 2500, kCreated), HotTable::Touch::moved);
  step(kExpires, [&] { EXPECT_FALSE(group_->add_expiry(due_)); });
  expect_kept(1, 2500, 2500);
}

TEST_F(ExpiryGroup, TouchedInTheDatabase) {
  hot_.touch("a", 2500, kCreated);  // as the store does first: the touch must be written all the same
  step(kCreated, [&] { group_->add_touch("a", 2500); });
  expect_kept(1, 2500, kExpires);
  step(kExpires, [&] { EXPECT_FALSE(group_->add_expiry(due_)); });
  expect_kept(1, 2500, 2500);
}

TEST_F(ExpiryGroup, ErasedBeforeOrInTheSameGroup) {
  step(kCreated, [&] { erase(1); });
  step(kExpires, [&] { EXPECT_FALSE(group_->add_expiry(due_)); });
  expect_gone();
  step(kCreated, [&] { put(1, kExpires); });
  step(kCreated, [&] {
    erase(1);
    EXPECT_FALSE(group_->add_expiry(due_));
  });
  expect_gone();
}

TEST_F(ExpiryGroup, ErasedAndMadeAnew) {
  step(kCreated, [&] {
    erase(1);
    put(1, 3000);
  });
  expect_kept(1, 3000, 3000);
  step(kExpires, [&] { EXPECT_FALSE(group_->add_expiry(due_)); });
  expect_kept(1, 3000, 3000);
}

}  // namespace
}  // namespace stateway::store
