// Coroutines of one loop waiting, in order of arrival, for another coroutine of that loop to say go.
#pragma once

#include <coroutine>
#include <cstddef>

#include "base/error.h"
#include "io/loop.h"

namespace stateway::io {

/// FIFO of waiters. Not thread-safe. Must outlive its waiters. A waiter that is destroyed leaves the queue.
class WaitQueue {
 public:
  explicit WaitQueue(Loop& loop) : loop_(loop) {}
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  class Waiter : private Timer {
   public:
    Waiter(WaitQueue& queue, TimePoint deadline)
        : Timer(queue.loop_.timers()), queue_(queue), deadline_(deadline) {}
    ~Waiter() override { leave(); }
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h);
    /// Nothing when woken; Code::timeout at the deadline.
    Result<void> await_resume() const;

   private:
    friend class WaitQueue;
    void on_timer() override;
    void leave();

    WaitQueue& queue_;
    TimePoint deadline_;
    std::coroutine_handle<> waiting_;
    Waiter* previous_ = nullptr;
    Waiter* next_ = nullptr;
    bool queued_ = false;
    bool woken_ = false;
  };

  /// Suspends until woken or `deadline`.
  Waiter wait(TimePoint deadline) { return Waiter(*this, deadline); }
  /// Wakes the first waiter, or the first `n`; each goes on at once, on the caller's stack.
  /// Waiters that join during the call are not woken by it. Returns how many were woken.
  std::size_t wake(std::size_t n = 1);
  std::size_t wake_all() { return wake(size_); }
  std::size_t size() const { return size_; }

 private:
  Loop& loop_;
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace stateway::io
