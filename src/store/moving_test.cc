#include "store/moving.h"

#include <set>

#include "store/contract_test.h"
#include "store/embedded.h"
#include "store/memory.h"
#include "store/moving_fixture.h"
#include "store/room_contract_test.h"
#include "store/temporary_directory.h"

namespace stateway::store {
namespace {

std::shared_ptr<StateStore> memory(const WallClock& clock, std::uint64_t records_max) {
  return std::make_shared<MemoryStore>(clock, records_max);
}
std::shared_ptr<StateStore> embedded(const std::string& path, const WallClock& clock,
                                     std::uint64_t records_max) {
  StoreOptions options;
  options.path = path;
  options.durability = Durability::os;
  options.sessions_max = records_max;
  auto opened = EmbeddedStore::open(options, clock);
  CHECK(opened.has_value());
  return std::move(*opened);
}

struct MemoryToMemory {
  std::unique_ptr<StateStore> make(const WallClock& clock, std::uint64_t records_max) {
    return std::make_unique<MovingStore>(memory(clock, records_max), memory(clock, records_max), records_max);
  }
};
struct MemoryToEmbedded {
  std::unique_ptr<StateStore> make(const WallClock& clock, std::uint64_t records_max) {
    return std::make_unique<MovingStore>(embedded(directory.path(), clock, records_max),
                                         memory(clock, records_max), records_max);
  }
  TemporaryDirectory directory;
};
struct EmbeddedToMemory {
  std::unique_ptr<StateStore> make(const WallClock& clock, std::uint64_t records_max) {
    return std::make_unique<MovingStore>(memory(clock, records_max),
                                         embedded(directory.path(), clock, records_max), records_max);
  }
  TemporaryDirectory directory;
};
struct SwitchOfMemory {
  std::unique_ptr<StateStore> make(const WallClock& clock, std::uint64_t records_max) {
    return std::make_unique<Switch>(memory(clock, records_max));
  }
};
using Providers = testing::Types<MemoryToMemory, MemoryToEmbedded, EmbeddedToMemory, SwitchOfMemory>;
INSTANTIATE_TYPED_TEST_SUITE_P(Moving, StoreContract, Providers);
INSTANTIATE_TYPED_TEST_SUITE_P(Moving, StoreRoom, Providers);

TEST(MovedOn, AMarkCarriesTheWholeRecord) {
  Record ended = in_state(State::ended, 7, 1000);
  ended.principal = "ann";
  ended.applied = {{.gateway = 5, .sequence = 9}};
  Record moved = in_state(State::moved, 3, 1000);
  moved.value = "\1 a session module's";
  const Record large = live(1, 5, std::string(70000, '\0'), "p\0q");
  for (const Record& record : {live(2, 1000, "{}", "ann"), live(2, 1000, ""), ended, moved, large}) {
    EXPECT_FALSE(has_moved_on(record));
    const Record mark = carrying_mark(record);
    EXPECT_TRUE(has_moved_on(mark));
    EXPECT_EQ(mark.revision, record.revision + 1);
    EXPECT_EQ(mark.principal, record.principal);
    EXPECT_EQ(carried_by(mark), record);
  }
  const Record empty = empty_mark(4, 1000);
  EXPECT_TRUE(has_moved_on(empty));
  EXPECT_EQ(carried_by(empty), std::nullopt);
  EXPECT_EQ(empty.principal, "");
}

TEST_F(MovingTest, EveryRecordMovesAsItIs) {
  for (const bool shared : {true, false}) {
    shared_ = shared;
    for (Record record : every_state()) {
      const std::string key = "k" + std::to_string(record.revision) + (shared ? "s" : "");
      Batch batch = one_write(key, 0, record);
      batch.id = {.gateway = 77, .sequence = 8};
      io::TaskGroup tasks;
      ASSERT_TRUE(put_in(previous_, key, 0, record));
      Gateway gateway(*this, true);
      EXPECT_EQ(loaded_by(gateway, key).record.value(), record);
      EXPECT_EQ(loaded(next_, key).record.value(), record);
      const auto left = loaded(previous_, key).record.value();
      ASSERT_EQ(left.has_value(), shared);
      if (left) EXPECT_EQ(*left, empty_mark(record.revision + 2, record.expires_at));
      EXPECT_EQ(gateway.all->stats().previous->moved, 1u);
    }
  }
}

TEST_F(MovingTest, AppliedCommitsMoveToo) {
  Batch batch = one_write("a", 0, live(1, in(1000), "1"));
  batch.id = {.gateway = 77, .sequence = 8};
  struct Commit {
    static io::Task<void> run(io::Loop& loop, StateStore& store, Batch batch, Result<Committed>& out) {
      out = co_await store.commit(loop, std::move(batch));
    }
  };
  Result<Committed> first = fail(Code::internal), repeated = fail(Code::internal);
  io::TaskGroup tasks;
  tasks.spawn(Commit::run(loop_, previous_, batch, first));
  ASSERT_TRUE(first);
  Gateway gateway(*this, true);
  gateway.tasks.spawn(Commit::run(loop_, *gateway.all, batch, repeated));
  run(gateway);
  EXPECT_TRUE(repeated) << "the same commit again, though its condition holds no more";
  const auto record = loaded_by(gateway, "a").record.value();
  EXPECT_EQ(record->revision, 1u);
  EXPECT_EQ(record->applied, (std::vector<CommitId>{{.gateway = 77, .sequence = 8}}));
}

// A gateway dies before and after each call of a move, and at each of them another one takes over.
TEST_F(MovingTest, ACrashAtAnyStepCostsNothing) {
  for (const bool shared : {true, false}) {
    shared_ = shared;
    int tried = 0;
    for (const Record& record : every_state()) {
      for (int survived = 0, ended = false; !ended; ++survived) {
        const std::string key =
            std::to_string(shared) + "/" + std::to_string(record.revision) + "/" + std::to_string(survived);
        SCOPED_TRACE(key);
        ASSERT_TRUE(put_in(previous_, key, 0, record));
        Seen seen;
        {
          Gateway dies(*this, true, true);
          dies.tasks.spawn(load(loop_, *dies.all, key, seen));
          for (int i = 0; i < survived && dies.steps.waiting() > 0; ++i) dies.steps.release();
          ended = seen.done;
          dies.tasks.cancel_all();
        }
        // Who knows the old store alone sees the record until it is marked, and never nothing.
        const bool marked = has_moved_on(loaded(previous_, key).record.value().value_or(Record{}));
        Gateway knows_old(*this, false);
        const Seen by_old = loaded_by(knows_old, key);
        if (shared) {
          if (marked)
            EXPECT_CODE(by_old.record, Code::store_unavailable);
          else
            EXPECT_EQ(by_old.record.value(), record);
        }
        Gateway next(*this, true);
        EXPECT_EQ(loaded_by(next, key).record.value()->value, record.value);
        EXPECT_EQ(loaded_by(next, key).record.value()->state, record.state);
        EXPECT_EQ(loaded_by(next, key).record.value()->principal, record.principal);
        if (shared) EXPECT_EQ(loaded_by(next, key).record.value(), record);
        ++tried;
      }
    }
    EXPECT_GT(tried, 3 * 8);
  }
}

TEST_F(MovingTest, WhoKnowsTheOldStoreAloneNeitherServesNorOverwritesNorBegins) {
  ASSERT_TRUE(put_in(previous_, "a", 0, live(5, in(1000), "old")));
  Gateway moves(*this, true), knows_old(*this, false);
  ASSERT_TRUE(loaded_by(moves, "a").record.value());
  EXPECT_CODE(loaded_by(knows_old, "a").record, Code::store_unavailable);
  EXPECT_CODE(put_by(knows_old, "a", 5, live(6, in(1000), "late")), Code::conflict);
  EXPECT_CODE(put_by(knows_old, "a", 0, live(6, in(1000), "anew")), Code::conflict);
  EXPECT_EQ(loaded_by(moves, "a").record.value(), live(5, in(1000), "old"));
  // One that begins at the new store is refused at the old one as well.
  ASSERT_TRUE(put_by(moves, "b", 0, live(1, in(1000), "new")));
  EXPECT_CODE(loaded_by(knows_old, "b").record, Code::store_unavailable);
  EXPECT_CODE(put_by(knows_old, "b", 0, live(1, in(1000), "again")), Code::conflict);
  // As long as it is used.
  ASSERT_TRUE(put_by(moves, "b", 1, live(2, in(5000), "later")));
  clock_.advance(4000ms);
  EXPECT_CODE(loaded_by(knows_old, "b").record, Code::store_unavailable);
  moves.all->touch(loop_, "b", in(5000));
  clock_.advance(4000ms);
  EXPECT_CODE(loaded_by(knows_old, "b").record, Code::store_unavailable);
  clock_.advance(1000ms);
  EXPECT_EQ(loaded_by(knows_old, "b").record.value(), std::nullopt);
}

// What an older version of the session could do after the newer one has expired.
TEST_F(MovingTest, WhatHasExpiredInTheNextStoreDoesNotComeBack) {
  ASSERT_TRUE(put_in(previous_, "a", 0, live(5, in(10'000), "old")));
  Gateway first(*this, true, true), second(*this, true);
  Seen seen;
  first.tasks.spawn(load(loop_, *first.all, "a", seen));
  // Marked and created, but the mark still carries the record when the first one dies.
  while (!loaded(next_, "a").record.value()) first.steps.release();
  first.tasks.cancel_all();
  ASSERT_TRUE(put_by(second, "a", 5, live(6, in(1000), "shorter")));
  clock_.advance(1000ms);
  EXPECT_EQ(loaded_by(second, "a").record.value(), std::nullopt);
  Gateway third(*this, true);
  EXPECT_EQ(loaded_by(third, "a").record.value(), std::nullopt);
  EXPECT_CODE(put_by(third, "a", 6, live(7, in(1000))), Code::conflict);
}

// There and back again: the marks of the first move do not hide what comes back.
TEST_F(MovingTest, StoresMayChangePlaces) {
  for (const bool shared : {true, false}) {
    shared_ = shared;
    const std::string key = shared ? "s" : "e";
    ASSERT_TRUE(put_in(previous_, key, 0, live(5, in(1000), "a")));
    Gateway there(*this, true);
    ASSERT_TRUE(loaded_by(there, key).record.value());
    for (const bool changed : {false, true}) {
      if (changed) ASSERT_TRUE(put_by(there, key, 5, live(6, in(1000), "b")));
      Steps steps;
      auto from = std::make_shared<SteppedStore>(next_, steps, false);
      auto to = std::make_shared<SteppedStore>(previous_, steps, false);
      Switch back(std::make_shared<MovingStore>(to, from, kMax));
      Seen seen;
      io::TaskGroup tasks;
      tasks.spawn(load(loop_, back, key, seen));
      while (steps.waiting() > 0) steps.release();
      ASSERT_TRUE(seen.done);
      EXPECT_EQ(seen.record.value(), changed ? live(6, in(1000), "b") : live(5, in(1000), "a"));
      EXPECT_EQ(loaded(previous_, key).record.value(), seen.record.value());
      Gateway again(*this, true);
      EXPECT_EQ(loaded_by(again, key).record.value(), seen.record.value());
    }
  }
}

TEST_F(MovingTest, AStoreOfOneGatewayTakesBackWhatACrashLeft) {
  shared_ = false;
  const Record record = live(5, in(1000), "old", "ann");
  ASSERT_TRUE(put_in(previous_, "a", 0, carrying_mark(record)));
  Gateway went_back(*this, false);
  Record expected = record;
  expected.revision = 7;
  EXPECT_EQ(loaded_by(went_back, "a").record.value(), expected);
  EXPECT_EQ(loaded(previous_, "a").record.value(), expected);
}

TEST_F(MovingTest, ListsAreOfBothStores) {
  Keys all;
  for (int i = 100; i < 130; ++i) {
    all.push_back("k" + std::to_string(i));
    StateStore& in_store = i % 3 == 0 ? static_cast<StateStore&>(next_) : previous_;
    Record record = live(5, in(1000), "v", i % 2 == 0 ? "ann" : "");
    ASSERT_TRUE(put_in(in_store, all.back(), 0, i % 5 == 1 && i % 3 != 0 ? carrying_mark(record) : record));
    ASSERT_TRUE(put_in(previous_, "m" + std::to_string(i), 0, empty_mark(2, in(1000))));
  }
  Gateway gateway(*this, true);
  struct List {
    static io::Task<void> run(io::Loop& loop, StateStore& store, Query query, std::vector<Entry>& out) {
      out = (co_await store.list(loop, std::move(query))).value();
    }
  };
  for (const std::size_t limit : {1u, 7u, 100u}) {
    Keys keys;
    std::size_t left = 0;
    for (std::string after;;) {
      std::vector<Entry> page;
      gateway.tasks.spawn(List::run(loop_, *gateway.all, {.after = after, .limit = limit}, page));
      run(gateway);
      for (const Entry& entry : page) {
        keys.push_back(entry.key);
        left += entry.in_previous ? 1 : 0;
        EXPECT_EQ(entry.record.value, "v");
        EXPECT_EQ(entry.record.revision, 5u);
      }
      if (page.size() < limit) break;
      after = page.back().key;
    }
    EXPECT_EQ(keys, all);
    EXPECT_EQ(left, 20u);
  }
  std::vector<Entry> of_ann;
  gateway.tasks.spawn(List::run(loop_, *gateway.all, {.principal = "ann"}, of_ann));
  run(gateway);
  EXPECT_EQ(of_ann.size(), 15u);
}

TEST_F(MovingTest, NewSessionsLeaveRoomForThoseThatAreStillToCome) {
  shared_ = false;
  for (const char* key : {"a", "b"}) ASSERT_TRUE(put_in(previous_, key, 0, live(1, in(1000))));
  Gateway gateway(*this, true);
  gateway.all->set_sessions_max(3);
  ASSERT_TRUE(put_by(gateway, "c", 0, live(1, in(1000))));
  EXPECT_CODE(put_by(gateway, "d", 0, live(1, in(1000))), Code::sessions_full);
  EXPECT_TRUE(loaded_by(gateway, "a").record.value());
  EXPECT_CODE(put_by(gateway, "d", 0, live(1, in(1000))), Code::sessions_full);
  EXPECT_TRUE(put_by(gateway, "d", 0, in_state(State::ended, 1, in(1000))));
  EXPECT_TRUE(loaded_by(gateway, "b").record.value());
  EXPECT_CODE(put_by(gateway, "e", 0, live(1, in(1000))), Code::sessions_full);
}

}  // namespace
}  // namespace stateway::store
