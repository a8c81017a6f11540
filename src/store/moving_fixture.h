// For tests of moves: two stores, and gateways that reach them step by step.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/memory.h"
#include "store/moved_on.h"
#include "store/moving.h"
#include "store/steps.h"
#include "store/store_fixture.h"
#include "store/switch.h"

namespace stateway::store {

/// Two stores, and gateways of which each has its own way to them.
class MovingTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kMax = 1000;

  struct Gateway {
    Gateway(MovingTest& t, bool knows_next, bool answers_late = false)
        : previous(std::make_shared<SteppedStore>(t.previous_, steps, answers_late)),
          next(std::make_shared<SteppedStore>(t.next_, steps, answers_late)) {
      previous->shared = t.shared_;
      std::shared_ptr<StateStore> store = previous;
      if (knows_next) store = moving = std::make_shared<MovingStore>(next, previous, kMax);
      all = std::make_unique<Switch>(store);
    }
    Steps steps;
    std::shared_ptr<SteppedStore> previous, next;
    std::shared_ptr<MovingStore> moving;
    std::unique_ptr<Switch> all;
    io::TaskGroup tasks;
  };
  struct Seen {
    bool done = false;
    Result<std::optional<Record>> record = std::nullopt;
  };

  static io::Task<void> load(io::Loop& loop, StateStore& store, std::string key, Seen& seen) {
    seen.record = co_await store.load(loop, std::move(key));
    seen.done = true;
  }
  static io::Task<void> put(io::Loop& loop, StateStore& store, std::string key, Revision expected,
                            Record record, Result<Committed>& out) {
    auto batch = one_write(std::move(key), expected, std::move(record));
    out = co_await store.commit(loop, std::move(batch));
  }
  static void run(Gateway& gateway) {
    while (gateway.steps.waiting() > 0) gateway.steps.release();
  }
  Seen loaded(StateStore& store, const std::string& key) {
    Seen seen;
    io::TaskGroup tasks;
    tasks.spawn(load(loop_, store, key, seen));
    return seen;
  }
  Seen loaded_by(Gateway& gateway, const std::string& key) {
    Seen seen;
    gateway.tasks.spawn(load(loop_, *gateway.all, key, seen));
    run(gateway);
    EXPECT_TRUE(seen.done);
    return seen;
  }
  Result<Committed> put_in(StateStore& store, const std::string& key, Revision expected, Record record) {
    Result<Committed> out = fail(Code::internal);
    io::TaskGroup tasks;
    tasks.spawn(put(loop_, store, key, expected, std::move(record), out));
    return out;
  }
  Result<Committed> put_by(Gateway& gateway, const std::string& key, Revision expected, Record record) {
    Result<Committed> out = fail(Code::internal);
    gateway.tasks.spawn(put(loop_, *gateway.all, key, expected, std::move(record), out));
    run(gateway);
    return out;
  }
  WallMillis in(std::int64_t ms) const { return clock_.now() + ms; }

  std::vector<Record> every_state() const {
    Record ended = in_state(State::ended, 7, in(1000));
    ended.principal = "ann";
    Record moved = in_state(State::moved, 3, in(1000));
    moved.value = "\1 in its cookie";
    return {live(5, in(1000), "document", "ann"), ended, moved};
  }

  ManualClock clock_;
  io::EpollLoop loop_;
  MemoryStore previous_{clock_, kMax};
  MemoryStore next_{clock_, kMax};
  bool shared_ = true;  // the previous one
};

}  // namespace stateway::store
