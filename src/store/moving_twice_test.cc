// Moves that meet another one, or themselves: one store under two names, what an earlier move in the other
// direction left, and turns that began in the store before.
#include "store/moving_fixture.h"

namespace stateway::store {
namespace {

// Two names of one store: a move would meet its own mark.
TEST_F(MovingTest, OneStoreUnderTwoNamesLosesNothing) {
  for (const bool shared : {true, false}) {
    for (const bool known_as_two : {false, true}) {  // true: whoever looked was wrong
      shared_ = shared;
      Steps steps;
      auto one = std::make_shared<SteppedStore>(previous_, steps, false);
      auto other = std::make_shared<SteppedStore>(previous_, steps, false);
      one->shared = other->shared = shared;
      Switch all(std::make_shared<MovingStore>(one, other, kMax, known_as_two));
      for (const Record& record : every_state()) {
        const std::string key =
            std::to_string(shared) + std::to_string(known_as_two) + std::to_string(record.revision);
        SCOPED_TRACE(key);
        ASSERT_TRUE(put_in(previous_, key, 0, record));
        for (int again = 0; again < 3; ++again) {
          Seen seen;
          io::TaskGroup tasks;
          tasks.spawn(load(loop_, all, key, seen));
          while (steps.waiting() > 0) steps.release();
          ASSERT_TRUE(seen.done);
          EXPECT_CODE(seen.record, Code::store_unavailable);
        }
        const auto left = loaded(previous_, key).record.value();
        ASSERT_TRUE(left);
        const Record kept = has_moved_on(*left) ? carried_by(*left).value_or(Record{}) : *left;
        EXPECT_EQ(kept.value, record.value);
        EXPECT_EQ(kept.state, record.state);
        if (!known_as_two) EXPECT_EQ(*left, record) << "nothing was written over it";
      }
    }
  }
  EXPECT_EQ(previous_.stats().records, 4u * 3u) << "what it was found out by is gone";
}

// A crash in a move left a mark that carries a record, and then the operator turned round.
TEST_F(MovingTest, WhatAMarkInTheNextStoreCarriesStaysUnlessItIsOlder) {
  const struct {
    std::string key;
    Record carried;
    Record coming;
    std::string stays;
  } kTable[] = {
      {"newer", live(5, in(1000), "carried"), live(4, in(1000), "coming"), "carried"},
      {"the same", live(5, in(1000), "the same"), live(5, in(1000), "the same"), "the same"},
      {"older", live(5, in(1000), "carried"), live(6, in(1000), "coming"), "coming"},
      {"ended", in_state(State::ended, 5, in(1000)), live(6, in(1000), "coming"), ""},
  };
  for (const auto& row : kTable) {
    SCOPED_TRACE(row.key);
    ASSERT_TRUE(put_in(previous_, row.key, 0, row.coming));
    ASSERT_TRUE(put_in(next_, row.key, 0, carrying_mark(row.carried)));
    Gateway gateway(*this, true);
    const auto record = loaded_by(gateway, row.key).record.value();
    ASSERT_TRUE(record);
    EXPECT_EQ(record->value, row.stays);
    EXPECT_EQ(record->state, row.stays.empty() ? State::ended : State::live);
    EXPECT_EQ(loaded(next_, row.key).record.value(), record);
  }
}

// A turn at a session that began before a reload, with others' turns in the new store.
TEST_F(MovingTest, ATurnThatBeganBeforeASwitchIsLostWhenAnotherHasHadOne) {
  struct Turn {
    static io::Task<void> take(io::Loop& loop, Leases& leases, std::string key, std::uint64_t& token) {
      token = (co_await leases.take(loop, std::move(key), 60s)).value();
    }
    static io::Task<void> commit(io::Loop& loop, StateStore& store, Batch batch, Result<Committed>& out) {
      out = co_await store.commit(loop, std::move(batch));
    }
  };
  const auto not_owned = [](StateStore& store) { return std::shared_ptr<StateStore>(&store, [](auto*) {}); };
  const auto take = [&](Leases& leases, const std::string& key) {
    std::uint64_t token = 0;
    io::TaskGroup tasks;
    tasks.spawn(Turn::take(loop_, leases, key, token));
    return token;
  };
  const auto commit = [&](StateStore& store, const std::string& key, Revision expected, std::uint64_t lease) {
    Batch batch = one_write(key, expected, live(expected + 1, in(1000)));
    batch.lease = lease;
    Result<Committed> out = fail(Code::internal);
    io::TaskGroup tasks;
    tasks.spawn(Turn::commit(loop_, store, std::move(batch), out));
    return out;
  };
  for (const char* key : {"free", "held", "changed", "alone"}) {
    SCOPED_TRACE(key);
    ASSERT_TRUE(put_in(previous_, key, 0, live(5, in(1000))));
    Switch all(not_owned(previous_));
    const std::uint64_t early = take(*all.leases(), key);
    ASSERT_NE(early, 0u);
    auto moving = std::make_shared<MovingStore>(not_owned(next_), not_owned(previous_), kMax);
    if (key == std::string("alone")) {
      Steps steps;
      auto lonely = std::make_shared<MemoryStore>(clock_, kMax);
      ASSERT_TRUE(put_in(*lonely, key, 0, live(5, in(1000))));
      auto stepped = std::make_shared<SteppedStore>(*lonely, steps, false);
      stepped->shared = false;
      all.use(stepped);
      Batch batch = one_write(key, 5, live(6, in(1000)));
      batch.lease = early;
      Result<Committed> out = fail(Code::internal);
      io::TaskGroup tasks;
      tasks.spawn(Turn::commit(loop_, all, std::move(batch), out));
      while (steps.waiting() > 0) steps.release();
      EXPECT_TRUE(out);
      continue;
    }
    all.use(moving);
    if (key == std::string("free")) {
      EXPECT_TRUE(commit(all, key, 5, early));
      EXPECT_NE(take(*next_.leases(), key), 0u) << "the commit ended it";
    } else if (key == std::string("held")) {
      EXPECT_NE(take(*next_.leases(), key), 0u);
      EXPECT_CODE(commit(all, key, 5, early), Code::lease_lost);
    } else {
      const std::uint64_t theirs = take(*next_.leases(), key);
      ASSERT_TRUE(commit(*moving, key, 5, theirs));
      EXPECT_CODE(commit(all, key, 5, early), Code::lease_lost);
      EXPECT_NE(take(*next_.leases(), key), 0u) << "given back";
    }
  }
}

}  // namespace
}  // namespace stateway::store
