#include "io/task_group.h"

namespace stateway::io {

struct TaskGroup::Root {
  struct promise_type : Links, detail::PooledFrame {
    TaskGroup& group;

    promise_type(TaskGroup& g, Task<void>&) : group(g) {
      frame = std::coroutine_handle<promise_type>::from_promise(*this);
      next = group.first_;
      if (next != nullptr) next->previous = this;
      group.first_ = this;
      ++group.running_;
    }
    ~promise_type() {
      (previous != nullptr ? previous->next : group.first_) = next;
      if (next != nullptr) next->previous = previous;
      --group.running_;
    }

    Root get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }

    struct Leave {
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> h) const noexcept {
        TaskGroup& g = h.promise().group;
        h.destroy();
        if (g.running_ == 0 && g.drain_waiter_) return std::exchange(g.drain_waiter_, nullptr);
        return std::noop_coroutine();
      }
      void await_resume() const noexcept {}
    };
    Leave final_suspend() const noexcept { return {}; }
  };
  std::coroutine_handle<promise_type> handle;
};

TaskGroup::Root TaskGroup::run(TaskGroup&, Task<void> task) { co_await task; }

void TaskGroup::spawn(Task<void> task) { run(*this, std::move(task)).handle.resume(); }

void TaskGroup::cancel_all() {
  while (first_ != nullptr) first_->frame.destroy();
}

}  // namespace stateway::io
