#include "io/wait_queue.h"

#include <algorithm>

namespace stateway::io {

void WaitQueue::Waiter::await_suspend(std::coroutine_handle<> h) {
  waiting_ = h;
  previous_ = queue_.last_;
  (previous_ != nullptr ? previous_->next_ : queue_.first_) = this;
  queue_.last_ = this;
  queued_ = true;
  ++queue_.size_;
  arm(deadline_);
}

Result<void> WaitQueue::Waiter::await_resume() const {
  if (!woken_) return fail(Code::timeout);
  return {};
}

void WaitQueue::Waiter::on_timer() {
  leave();
  waiting_.resume();
}

void WaitQueue::Waiter::leave() {
  if (!queued_) return;
  queued_ = false;
  (previous_ != nullptr ? previous_->next_ : queue_.first_) = next_;
  (next_ != nullptr ? next_->previous_ : queue_.last_) = previous_;
  --queue_.size_;
}

std::size_t WaitQueue::wake(std::size_t n) {
  n = std::min(n, size_);
  std::size_t woken = 0;
  // A woken waiter may destroy others, so the count is checked against the queue every time.
  for (; woken < n && first_ != nullptr; ++woken) {
    Waiter& w = *first_;
    w.leave();
    w.disarm();
    w.woken_ = true;
    w.waiting_.resume();
  }
  return woken;
}

}  // namespace stateway::io
