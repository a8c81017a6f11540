// The owner of work that nobody awaits: connections, health checks, sweeps. Nothing in the program runs
// detached.
#pragma once

#include <coroutine>
#include <cstddef>

#include "io/task.h"

namespace stateway::io {

/// Runs tasks concurrently on one loop and owns them. Not thread-safe.
/// Destroying the group, or `cancel_all`, destroys what still runs, in no particular order. Neither may be
/// called from inside one of the group's own tasks.
class TaskGroup {
 public:
  TaskGroup() = default;
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup() { cancel_all(); }

  /// Starts `task` at once, on the caller's stack, until its first suspension.
  void spawn(Task<void> task);
  void cancel_all();
  std::size_t running() const { return running_; }

  /// Completes when no task runs any more; at once if none does. At most one waiter at a time. The waiter
  /// must not be one of the group's tasks.
  auto drained() {
    struct Awaiter {
      TaskGroup& group;
      bool await_ready() const { return group.running_ == 0; }
      void await_suspend(std::coroutine_handle<> h) {
        CHECK(!group.drain_waiter_);
        group.drain_waiter_ = h;
      }
      void await_resume() const {}
      ~Awaiter() { group.drain_waiter_ = nullptr; }
    };
    return Awaiter{*this};
  }

 private:
  struct Root;  // a frame that destroys itself when it ends
  struct Links {
    Links* previous = nullptr;
    Links* next = nullptr;
    std::coroutine_handle<> frame;
  };
  static Root run(TaskGroup& group, Task<void> task);

  Links* first_ = nullptr;
  std::size_t running_ = 0;
  std::coroutine_handle<> drain_waiter_;
};

}  // namespace stateway::io
