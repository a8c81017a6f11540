// What every StateStore must do. A store's test instantiates the suite with a provider (store_fixture.h).
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/batch.h"
#include "store/store_fixture.h"

namespace stateway::store {

template <class Provider>
class StoreContract : public StoreFixture<Provider> {};

TYPED_TEST_SUITE_P(StoreContract);

TYPED_TEST_P(StoreContract, WhatWasCommittedIsLoaded) {
  EXPECT_EQ(this->loaded("a"), std::nullopt);
  EXPECT_EQ(this->put("a", live(1, this->in(1000), "one", "ann")).value(), 1u);
  EXPECT_EQ(this->put("a", live(2, this->in(2000), "two", "bob")).value(), 2u);
  EXPECT_EQ(this->loaded("a"), live(2, this->in(2000), "two", "bob"));
  EXPECT_EQ(this->erase("a", 2).value(), 0u);
  EXPECT_EQ(this->loaded("a"), std::nullopt);
  EXPECT_EQ(this->put("a", live(1, this->in(1000), "anew")).value(), 1u);
  EXPECT_EQ(this->loaded("a"), live(1, this->in(1000), "anew"));
}

TYPED_TEST_P(StoreContract, AConditionThatDoesNotHoldIsAConflict) {
  ASSERT_TRUE(this->put("there", live(1, this->in(1000), "1")));
  ASSERT_TRUE(this->put("there", live(2, this->in(1000), "2")));
  for (const Revision expected : {0u, 1u, 3u})
    EXPECT_CODE(this->put("there", live(expected + 1, this->in(1000), "x")), Code::conflict);
  for (const Revision expected : {0u, 1u, 3u}) EXPECT_CODE(this->erase("there", expected), Code::conflict);
  for (const Revision expected : {1u, 2u})
    EXPECT_CODE(this->put("absent", live(expected + 1, this->in(1000), "x")), Code::conflict);
  EXPECT_EQ(this->loaded("there"), live(2, this->in(1000), "2"));
  EXPECT_EQ(this->loaded("absent"), std::nullopt);
  EXPECT_EQ(this->store_->stats().conflicts, 8u);
  EXPECT_EQ(this->store_->stats().commits, 2u);
}

TYPED_TEST_P(StoreContract, ATombstoneRefusesLateCommitsUntilItExpires) {
  ASSERT_TRUE(this->put("a", live(1, this->in(1000))));
  Record tombstone = live(2, this->in(1000), "");
  tombstone.state = State::ended;
  ASSERT_TRUE(this->put("a", tombstone));
  EXPECT_CODE(this->put("a", live(2, this->in(1000))), Code::conflict);
  EXPECT_CODE(this->put("a", live(1, this->in(1000))), Code::conflict);
  EXPECT_CODE(this->put("a", live(3, this->in(1000))), Code::conflict);  // also by who knows of it
  tombstone.revision = 3;
  EXPECT_TRUE(this->put("a", tombstone));
  EXPECT_EQ(this->loaded("a"), tombstone);
  this->touch("a", this->in(5000));
  EXPECT_EQ(this->loaded("a"), tombstone);
  EXPECT_EQ(this->sweep(10), 0u);
  this->clock_.advance(1000ms);
  EXPECT_EQ(this->loaded("a"), std::nullopt);
  EXPECT_TRUE(this->put("a", live(1, this->in(1000))));
}

TYPED_TEST_P(StoreContract, AMovedRecordKeepsItsValueAndCanBeLiveAgain) {
  ASSERT_TRUE(this->put("a", live(1, this->in(1000), "doc")));
  Record moved = live(2, this->in(1000), "doc");
  moved.state = State::moved;
  ASSERT_TRUE(this->put("a", moved));
  EXPECT_EQ(this->loaded("a"), moved);
  ASSERT_TRUE(this->put("a", live(3, this->in(1000), "back")));
  EXPECT_EQ(this->loaded("a"), live(3, this->in(1000), "back"));
}

TYPED_TEST_P(StoreContract, ARecordMayBringItsRevisionAlong) {
  EXPECT_EQ(this->put_over(0, "a", live(8, this->in(1000), "moved in")).value(), 8u);
  EXPECT_EQ(this->loaded("a"), live(8, this->in(1000), "moved in"));
  for (const Revision expected : {0u, 1u, 7u, 9u})
    EXPECT_CODE(this->put_over(expected, "a", live(10, this->in(1000))), Code::conflict);
  EXPECT_EQ(this->put_over(8, "a", live(12, this->in(1000), "later")).value(), 12u);
  EXPECT_CODE(this->put_over(12, "a", live(12, this->in(1000))), Code::internal);
  EXPECT_CODE(this->put_over(12, "a", live(9, this->in(1000))), Code::internal);
  EXPECT_EQ(this->loaded("a"), live(12, this->in(1000), "later"));
  EXPECT_EQ(this->put("a", live(13, this->in(1000), "next")).value(), 13u);
  ASSERT_TRUE(this->erase("a", 13));
  EXPECT_EQ(this->put_over(0, "a", live(3, this->in(1000), "anew")).value(), 3u);
  EXPECT_EQ(this->loaded("a"), live(3, this->in(1000), "anew"));
}

TYPED_TEST_P(StoreContract, AnAbsenceIsTrueUntilACommitAndAgainAfterAnErasure) {
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(this->loaded("a"), std::nullopt);
    EXPECT_EQ(this->keys({}), Keys{});
    this->touch("a", this->in(1000));
    EXPECT_EQ(this->loaded("a"), std::nullopt);
    EXPECT_CODE(this->put("a", live(2, this->in(1000))), Code::conflict);
    EXPECT_CODE(this->erase("a", 1), Code::conflict);
    ASSERT_TRUE(this->put("a", live(1, this->in(1000), "here")));
    EXPECT_EQ(this->loaded("a"), live(1, this->in(1000), "here"));
    EXPECT_EQ(this->keys({}), Keys{"a"});
    EXPECT_EQ(this->store_->stats().records, 1u);
    if (round == 1) {
      this->clock_.advance(1000ms);
      EXPECT_EQ(this->loaded("a"), std::nullopt);
      EXPECT_EQ(this->sweep(10), 1u);
    } else {
      ASSERT_TRUE(this->erase("a", 1));
    }
    EXPECT_EQ(this->store_->stats().records, 0u);
  }
}

TYPED_TEST_P(StoreContract, WhoeverWasToldOfACommitNeverMissesItsRecord) {
  constexpr int kKeys = 200;
  const auto key = [](int i) { return "k" + std::to_string(i); };
  struct Reader {  // asks for every key, again and again, from before there is one
    static io::Task<int> run(io::Loop& loop, StateStore& store, const std::atomic<bool>& done) {
      int found = 0;
      for (bool last = false; !last;) {
        last = done.load();
        found = 0;
        for (int i = 0; i < kKeys; ++i) {
          const auto loaded = co_await store.load(loop, "k" + std::to_string(i));
          CHECK(loaded.has_value());
          found += loaded->has_value() ? 1 : 0;
        }
      }
      co_return found;
    }
  };
  std::atomic<bool> done = false;
  auto reading = this->other_loop_.start(
      [this, &done](io::Loop& loop) { return Reader::run(loop, *this->store_, done); });
  for (int i = 0; i < kKeys; ++i) {
    EXPECT_EQ(this->loaded(key(i)), std::nullopt);
    ASSERT_TRUE(this->put(key(i), live(1, this->in(1000), "here")));
    ASSERT_EQ(this->loaded(key(i)), live(1, this->in(1000), "here"));
  }
  done = true;
  EXPECT_EQ(LoopThread::get(std::move(reading)), kKeys);
}

TYPED_TEST_P(StoreContract, ABatchIsAppliedWholeOrNotAtAll) {
  using std::string_literals::operator""s;
  const std::string tag = "twelve octets"s.substr(0, kTagBytes);
  ASSERT_TRUE(this->put(tag + "a", live(1, this->in(1000), "a1")));
  ASSERT_TRUE(this->put(tag + "b", live(1, this->in(1000), "b1")));
  const Write a{.key = tag + "a", .expected = 1, .record = live(2, this->in(1000), "a2")};
  const Write b{.key = tag + "b", .expected = 1, .record = std::nullopt};
  const Write c{.key = tag + "c", .expected = 0, .record = live(1, this->in(1000), "c1")};
  const Write c_stale{.key = tag + "c", .expected = 4, .record = live(5, this->in(1000), "c5")};
  EXPECT_CODE(this->commit({a, b, c_stale}), Code::conflict);
  EXPECT_CODE(this->commit({c_stale, a, b}), Code::conflict);
  EXPECT_EQ(this->loaded(tag + "a")->value, "a1");
  EXPECT_EQ(this->loaded(tag + "b")->value, "b1");
  EXPECT_EQ(this->commit({a, b, c}).value(), 2u);
  EXPECT_EQ(this->loaded(tag + "a")->value, "a2");
  EXPECT_EQ(this->loaded(tag + "b"), std::nullopt);
  EXPECT_EQ(this->loaded(tag + "c")->value, "c1");
}

TYPED_TEST_P(StoreContract, AMalformedBatchIsRefused) {
  const auto write = [&](std::string key, Revision expected, Revision revision) {
    return Write{.key = std::move(key), .expected = expected, .record = live(revision, this->in(1000))};
  };
  EXPECT_CODE(this->commit(Batch()), Code::internal);
  EXPECT_CODE(this->commit({write("", 0, 1)}), Code::internal);
  EXPECT_CODE(this->commit({write(std::string(257, 'k'), 0, 1)}), Code::internal);
  EXPECT_CODE(this->commit({write("a", 0, 0)}), Code::internal);
  EXPECT_CODE(this->commit({write("a", 5, 5)}), Code::internal);
  EXPECT_CODE(this->commit({write("a", 5, 4)}), Code::internal);
  EXPECT_CODE(this->commit({write("a", 0, 1), write("b", 0, 1)}), Code::internal);  // of two tags
  const std::string tag(kTagBytes, 't');
  EXPECT_CODE(this->commit({write(tag, 0, 1), write(tag + "b", 0, 1), write(tag, 0, 1)}), Code::internal);
  EXPECT_EQ(this->store_->stats().records, 0u);
}

TYPED_TEST_P(StoreContract, ARecordIsThereUntilItsExpiryAndNotFromItOn) {
  ASSERT_TRUE(this->put("a", live(1, this->in(1000), "1")));
  this->clock_.advance(500ms);
  EXPECT_TRUE(this->loaded("a"));
  EXPECT_EQ(this->keys({}), Keys{"a"});
  this->clock_.advance(499ms);
  EXPECT_TRUE(this->loaded("a"));
  this->clock_.advance(1ms);
  EXPECT_EQ(this->loaded("a"), std::nullopt);
  EXPECT_EQ(this->keys({}), Keys{});
  EXPECT_CODE(this->put("a", live(2, this->in(1000), "late")), Code::conflict);
  EXPECT_EQ(this->put("a", live(1, this->in(1000), "anew")).value(), 1u);
  EXPECT_EQ(this->loaded("a"), live(1, this->in(1000), "anew"));
  EXPECT_EQ(this->store_->stats().records, 1u);
}

TYPED_TEST_P(StoreContract, KeysAndValuesAreBinaryAndValuesLarge) {
  using std::string_literals::operator""s;
  std::string large(1u << 20, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31 >> 3);
  const Keys binary{
      "\0"s, "\0\0"s, "\0a"s, "a\0"s, "a\0b"s, "\x7f\xff"s, "\xff"s, "\xff\xff"s, std::string(256, '\xff')};
  for (const std::string& key : binary)
    ASSERT_TRUE(this->put(key, live(1, this->in(1000), key + large, "p\0q"s)));
  for (const std::string& key : binary)
    EXPECT_TRUE(this->loaded(key) == live(1, this->in(1000), key + large, "p\0q"s));
  EXPECT_EQ(this->keys({}), binary);
  EXPECT_EQ(this->keys({.principal = "p\0q"s}), binary);
  EXPECT_EQ(this->keys({.principal = "p"s}), Keys{});
  EXPECT_EQ(this->keys({.prefix = "a\0"s}), (Keys{"a\0"s, "a\0b"s}));
  EXPECT_EQ(this->keys({.prefix = "\xff"s, .after = "\xff"s, .limit = 1}), Keys{"\xff\xff"s});
}

TYPED_TEST_P(StoreContract, ThePrincipalIndexFollowsTheRecords) {
  ASSERT_TRUE(this->put("1", live(1, this->in(1000), "", "ann")));
  ASSERT_TRUE(this->put("2", live(1, this->in(2000), "", "anna")));
  ASSERT_TRUE(this->put("3", live(1, this->in(2000))));
  ASSERT_TRUE(this->put("3", live(2, this->in(2000), "", "ann")));
  ASSERT_TRUE(this->put("4", live(1, this->in(2000), "", "ann")));
  ASSERT_TRUE(this->put("5", live(1, this->in(2000), "", "ann")));
  EXPECT_EQ(this->keys({.principal = "ann"}), (Keys{"1", "3", "4", "5"}));
  EXPECT_EQ(this->keys({.principal = "anna"}), Keys{"2"});
  EXPECT_EQ(this->keys({.principal = "a"}), Keys{});
  ASSERT_TRUE(this->put("4", live(2, this->in(2000), "", "bob")));
  ASSERT_TRUE(this->put("5", live(2, this->in(2000))));
  this->clock_.advance(1000ms);
  EXPECT_EQ(this->keys({.principal = "ann"}), Keys{"3"});
  EXPECT_EQ(this->keys({.principal = "bob"}), Keys{"4"});
  ASSERT_TRUE(this->put("1", live(1, this->in(1000), "", "carl")));  // over the expired one of ann
  ASSERT_TRUE(this->erase("3", 2));
  EXPECT_EQ(this->keys({.principal = "ann"}), Keys{});
  EXPECT_EQ(this->keys({.principal = "carl"}), Keys{"1"});
  this->clock_.advance(2000ms);
  EXPECT_EQ(this->sweep(100), 4u);
  ASSERT_TRUE(this->put("4", live(1, this->in(1000))));
  EXPECT_EQ(this->keys({.principal = "bob"}), Keys{});
}

TYPED_TEST_P(StoreContract, ListsComeInPages) {
  Keys all;
  for (int i = 100; i < 150; ++i) {
    all.push_back("s/" + std::to_string(i));
    ASSERT_TRUE(this->put(all.back(), live(1, this->in(i % 2 == 0 ? 1000 : 2000), "", "ann")));
  }
  ASSERT_TRUE(this->put("r/1", live(1, this->in(2000), "", "ann")));
  ASSERT_TRUE(this->put("t/1", live(1, this->in(2000), "", "ann")));
  for (const std::string principal : {"", "ann"}) {
    Keys paged;
    for (Keys page = this->keys({.prefix = "s/", .principal = principal, .limit = 7}); !page.empty();
         page = this->keys({.prefix = "s/", .after = page.back(), .principal = principal, .limit = 7}))
      paged.insert(paged.end(), page.begin(), page.end());
    EXPECT_EQ(paged, all);
    EXPECT_EQ(this->keys({.prefix = "s/", .principal = principal, .limit = 0}), Keys{});
    EXPECT_EQ(this->keys({.after = "s/149", .principal = principal}), Keys{"t/1"});
  }
  this->clock_.advance(1000ms);
  EXPECT_EQ(this->keys({.prefix = "s/", .limit = 3}), (Keys{"s/101", "s/103", "s/105"}));
}

TYPED_TEST_P(StoreContract, ParallelCommitsLoseNothing) {
  constexpr int kTasksPerLoop = 8;
  constexpr int kTimes = 25;
  ASSERT_TRUE(this->put("n", live(1, this->in(1000), "0")));
  std::vector<std::future<int>> running;
  for (int i = 0; i < kTasksPerLoop; ++i)
    for (LoopThread* on : {&this->loop_, &this->other_loop_})
      running.push_back(on->start(
          [store = this->store_.get()](io::Loop& loop) { return increment(loop, *store, "n", kTimes); }));
  std::uint64_t retries = 0;
  for (auto& task : running) retries += static_cast<std::uint64_t>(LoopThread::get(std::move(task)));
  constexpr int kSum = 2 * kTasksPerLoop * kTimes;
  EXPECT_EQ(this->loaded("n"), live(kSum + 1, this->in(1000), std::to_string(kSum)));
  const Stats stats = this->store_->stats();
  EXPECT_EQ(stats.commits, kSum + 1u);
  EXPECT_EQ(stats.conflicts, retries);
  EXPECT_EQ(stats.records, 1u);
  EXPECT_LE(stats.groups, stats.commits);
}

TYPED_TEST_P(StoreContract, ATouchMovesTheExpiryOfALiveRecordLater) {
  ASSERT_TRUE(this->put("a", live(1, this->in(1000), "1")));
  this->touch("a", this->in(500));
  this->touch("absent", this->in(500));
  EXPECT_EQ(this->loaded("a"), live(1, this->in(1000), "1"));
  this->clock_.advance(500ms);
  this->touch("a", this->in(1000));
  EXPECT_EQ(this->loaded("a"), live(1, this->in(1000), "1"));
  EXPECT_EQ(this->store_->stats().commits, 1u);
  this->clock_.advance(999ms);
  EXPECT_EQ(this->keys({}), Keys{"a"});
  EXPECT_EQ(this->sweep(10), 0u);
  EXPECT_TRUE(this->put("a", live(2, this->in(1000), "2")));
  this->clock_.advance(1000ms);
  this->touch("a", this->in(1000));
  EXPECT_EQ(this->loaded("a"), std::nullopt);
  EXPECT_EQ(this->sweep(10), 1u);
}

TYPED_TEST_P(StoreContract, ATouchKeepsAMovedRecordToo) {
  Record moved = live(1, this->in(1000), "doc");
  moved.state = State::moved;
  ASSERT_TRUE(this->put("a", moved));
  this->clock_.advance(500ms);
  this->touch("a", this->in(1000));
  this->clock_.advance(999ms);
  moved.expires_at = this->in(1);
  EXPECT_EQ(this->loaded("a"), moved);
  this->clock_.advance(1ms);
  EXPECT_EQ(this->loaded("a"), std::nullopt);
  EXPECT_EQ(this->sweep(10), 1u);
}

TYPED_TEST_P(StoreContract, TheSweepRemovesWhatHasExpiredAndNothingElse) {
  constexpr int kRecords = 300;  // several of any store's chunks
  const auto key = [](int i) { return "k" + std::to_string(1000 + i); };
  for (int i = 0; i < kRecords; ++i)
    ASSERT_TRUE(this->put(key(i), live(1, this->in(1000), "", i % 4 ? "" : "ann")));
  this->clock_.advance(500ms);
  // Every third is renewed by a commit, by a touch, or ended and shortened.
  for (int i = 0; i < kRecords; i += 3) {
    if (i % 2 == 0) {
      ASSERT_TRUE(this->put(key(i), live(2, this->in(1000))));
    } else {
      this->touch_only(key(i), this->in(1000));
    }
  }
  ASSERT_TRUE(this->put("short", live(1, this->in(1000))));
  ASSERT_TRUE(this->put("short", live(2, this->in(400))));
  this->clock_.advance(499ms);
  EXPECT_EQ(this->sweep(1000), 1u);
  this->clock_.advance(1ms);
  EXPECT_EQ(this->store_->stats().records, 300u);
  EXPECT_EQ(this->sweep(0), 0u);
  EXPECT_EQ(this->sweep(150), 150u);
  EXPECT_EQ(this->store_->stats().records, 150u);
  EXPECT_EQ(this->sweep(1000), 50u);
  EXPECT_EQ(this->sweep(1000), 0u);
  Keys kept;
  for (int i = 0; i < kRecords; i += 3) kept.push_back(key(i));
  EXPECT_EQ(this->keys({.limit = 1000}), kept);
  this->clock_.advance(500ms);
  EXPECT_EQ(this->sweep(1000), 100u);
  EXPECT_EQ(this->store_->stats().records, 0u);
  EXPECT_EQ(this->store_->stats().swept, 301u);
}

REGISTER_TYPED_TEST_SUITE_P(StoreContract, WhatWasCommittedIsLoaded, AConditionThatDoesNotHoldIsAConflict,
                            ATombstoneRefusesLateCommitsUntilItExpires,
                            AMovedRecordKeepsItsValueAndCanBeLiveAgain, ARecordMayBringItsRevisionAlong,
                            AnAbsenceIsTrueUntilACommitAndAgainAfterAnErasure,
                            WhoeverWasToldOfACommitNeverMissesItsRecord, ABatchIsAppliedWholeOrNotAtAll,
                            AMalformedBatchIsRefused, ARecordIsThereUntilItsExpiryAndNotFromItOn,
                            KeysAndValuesAreBinaryAndValuesLarge, ThePrincipalIndexFollowsTheRecords,
                            ListsComeInPages, ParallelCommitsLoseNothing,
                            ATouchMovesTheExpiryOfALiveRecordLater, ATouchKeepsAMovedRecordToo,
                            TheSweepRemovesWhatHasExpiredAndNothingElse);

}  // namespace stateway::store
