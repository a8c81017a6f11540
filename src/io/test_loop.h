// For tests of any module: runs one coroutine on a loop until it ends.
#pragma once

#include <gtest/gtest.h>

#include "io/epoll.h"
#include "io/task.h"
#include "io/task_group.h"

namespace stateway::io {

/// Runs `task` to its end on `loop`. Fails the test, and gives up, after `limit`.
inline void run_until_done(Loop& loop, Task<void> task, Duration limit = 20s) {
  struct Watchdog final : Timer {
    explicit Watchdog(Loop& l) : Timer(l.timers()), loop(l) {}
    void on_timer() override {
      ADD_FAILURE() << "the coroutine did not end in time";
      loop.stop();
    }
    Loop& loop;
  } watchdog(loop);
  watchdog.arm(loop.now() + limit);

  struct Wrap {
    static Task<void> run(Loop& l, Task<void> inner) {
      co_await inner;
      l.stop();
    }
  };
  TaskGroup group;
  group.spawn(Wrap::run(loop, std::move(task)));
  loop.run();
}

}  // namespace stateway::io
