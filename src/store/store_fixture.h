// For tests of stores: a store with synchronous calls, made by a provider:
//   struct P { std::unique_ptr<StateStore> make(const WallClock&, std::uint64_t records_max); };
#pragma once

#include <gtest/gtest.h>

#include <charconv>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "store/batch.h"
#include "store/loop_thread.h"
#include "store/store.h"

namespace stateway::store {

#define EXPECT_CODE(result, expected_code)                           \
  do {                                                               \
    const auto& r_ = (result);                                       \
    ASSERT_FALSE(r_.has_value());                                    \
    EXPECT_EQ(code_name(r_.error().code), code_name(expected_code)); \
  } while (false)

using Keys = std::vector<std::string>;

inline Record live(Revision revision, WallMillis expires_at, std::string value = "{}",
                   std::string principal = {}) {
  return {.revision = revision,
          .expires_at = expires_at,
          .principal = std::move(principal),
          .value = std::move(value)};
}

/// One without a document.
inline Record in_state(State state, Revision revision, WallMillis expires_at) {
  Record record = live(revision, expires_at, "");
  record.state = state;
  return record;
}

/// Adds 1 to the number in `key`'s value `times` times, whatever others do to it. Returns its retries.
inline io::Task<int> increment(io::Loop& loop, StateStore& store, std::string key, int times) {
  int retries = 0;
  while (times > 0) {
    const auto loaded = co_await store.load(loop, key);
    CHECK(loaded.has_value() && loaded->has_value());
    Record record = **loaded;
    int number = 0;
    std::from_chars(record.value.data(), record.value.data() + record.value.size(), number);
    record.value = std::to_string(number + 1);
    ++record.revision;
    const Revision expected = record.revision - 1;
    Batch batch = one_write(key, expected, std::move(record));
    const auto committed = co_await store.commit(loop, std::move(batch));
    if (committed) {
      --times;
    } else {
      CHECK(committed.error().code == Code::conflict);
      ++retries;
    }
  }
  co_return retries;
}

inline io::Task<bool> touch_on(io::Loop& loop, StateStore& store, std::string key, WallMillis expires_at) {
  store.touch(loop, key, expires_at);
  co_return true;
}

inline io::Task<bool> attach_to(io::Loop& loop, io::Network& network, StateStore& store) {
  store.attach(loop, network);
  co_return true;
}

inline io::Task<bool> detach_from(io::Loop& loop, StateStore& store) {
  store.detach(loop);
  co_return true;
}

/// A store with synchronous calls, for tests: each runs on the loop's thread until it is complete.
template <class Provider>
class StoreFixture : public testing::Test {
 protected:
  static constexpr std::uint64_t kRecordsMax = 1000;

  /// Again: another store in place of the one that is open.
  void open(std::uint64_t records_max = kRecordsMax) {
    close();
    store_ = provider_.make(clock_, records_max);
    for (LoopThread* on : {&loop_, &other_loop_})
      on->run([this, on](io::Loop& loop) { return attach_to(loop, on->network(), *store_); });
  }
  void close() {
    if (store_ == nullptr) return;
    for (LoopThread* on : {&loop_, &other_loop_})
      on->run([this](io::Loop& loop) { return detach_from(loop, *store_); });
    store_.reset();
  }
  void SetUp() override { open(); }
  void TearDown() override { close(); }

  WallMillis in(std::int64_t ms) const { return clock_.now() + ms; }
  auto load(std::string key) {
    return loop_.run([this, key](io::Loop& loop) { return store_->load(loop, key); });
  }
  std::optional<Record> loaded(std::string key) {
    auto result = load(std::move(key));
    EXPECT_TRUE(result.has_value());
    return result.value_or(std::nullopt);
  }
  Result<Revision> commit(Batch batch) {
    auto committed = loop_.run([this, batch](io::Loop& loop) { return store_->commit(loop, batch); });
    if (!committed) return pass_on(std::move(committed));
    EXPECT_FALSE(committed->local);
    return committed->revision;
  }
  Result<Revision> commit(std::vector<Write> writes) { return commit(Batch{.writes = std::move(writes)}); }
  Result<Revision> put(std::string key, Record record) {
    const Revision expected = record.revision - 1;
    return put_over(expected, std::move(key), std::move(record));
  }
  Result<Revision> put_over(Revision expected, std::string key, Record record) {
    return commit(one_write(std::move(key), expected, std::move(record)));
  }
  Result<Revision> erase(std::string key, Revision expected) {
    return commit(one_write(std::move(key), expected, std::nullopt));
  }
  Keys keys(Query query) {
    const auto listed = loop_.run([this, query](io::Loop& loop) { return store_->list(loop, query); });
    EXPECT_TRUE(listed.has_value());
    Keys keys;
    for (const Entry& entry : listed.value_or(std::vector<Entry>())) keys.push_back(entry.key);
    return keys;
  }
  std::size_t sweep(std::size_t most) {
    const auto swept = loop_.run([this, most](io::Loop& loop) { return store_->sweep(loop, most); });
    EXPECT_TRUE(swept.has_value());
    return swept.value_or(0);
  }
  void touch_only(std::string key, WallMillis expires_at) {
    loop_.run([this, key, expires_at](io::Loop& loop) { return touch_on(loop, *store_, key, expires_at); });
  }
  /// Touches are not awaited, but a commit after one is taken after it. Move the clock only then.
  void touch(std::string key, WallMillis expires_at) {
    touch_only(std::move(key), expires_at);
    EXPECT_FALSE(erase("no such record", 1));
  }

  ManualClock clock_;
  LoopThread loop_;
  LoopThread other_loop_;
  Provider provider_;
  std::unique_ptr<StateStore> store_;  // goes before its loops and its place
};

}  // namespace stateway::store
