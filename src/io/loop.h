// One event loop per thread: timers, mail from other threads, and readiness from a backend (epoll in
// production, virtual time in the simulation). Everything here but `deliver` and `stop` belongs to the loop's
// own thread.
#pragma once

#include <atomic>
#include <coroutine>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "io/timer.h"

namespace stateway::io {

/// Something to do before a loop waits again, however often it was asked for during the turn: so that what a
/// turn produces for another thread goes there at once and wakes it once.
class TurnEnd {
 public:
  virtual ~TurnEnd() = default;
  virtual void on_turn_end() = 0;
};

/// A message for another loop. The sender hands over a heap object; `deliver` runs on the receiving loop and
/// then the object is deleted. If the loop has ended, it is deleted undelivered.
class Mail {
 public:
  virtual ~Mail() = default;
  virtual void deliver() = 0;

 private:
  friend class Loop;
  Mail* next_ = nullptr;
};

class Loop {
 public:
  Loop() = default;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  virtual ~Loop();

  /// The time at the start of this turn. Read once per turn, so deadlines of one turn agree.
  TimePoint now() const { return now_; }
  Timers& timers() { return timers_; }

  /// Calls `task` at the end of this turn; asking again before that changes nothing.
  void at_turn_end(const std::shared_ptr<TurnEnd>& task);

  /// Sends mail. Any thread. Mail of one sender arrives in the order it was sent.
  void deliver(Mail* mail);

  /// Runs until `stop`.
  void run();
  /// Ends `run` after the current turn. Any thread.
  void stop();

 protected:
  /// Waits for readiness until `until` (or returns at once if it has passed), dispatches it, and sets now_.
  virtual void wait(TimePoint until) = 0;
  /// Ends a `wait` of the loop's thread early. Any thread.
  virtual void wake() = 0;

  TimePoint now_{};

 private:
  bool read_mail();
  void end_turn();

  Timers timers_;
  std::vector<std::shared_ptr<TurnEnd>> turn_ends_;  // one or two
  std::atomic<Mail*> mail_{nullptr};
  std::atomic<bool> stopped_{false};
};

/// Mail that calls a function object.
template <class F>
class CallMail final : public Mail {
 public:
  explicit CallMail(F f) : f_(std::move(f)) {}
  void deliver() override { f_(); }

 private:
  F f_;
};

/// Runs `f` on `loop`'s thread. `f` must own what it uses. Any thread.
template <class F>
void post(Loop& loop, F f) {
  loop.deliver(new CallMail<F>(std::move(f)));
}

/// Completes at `at`, or on the next turn if that has passed.
class SleepUntil : private Timer {
 public:
  SleepUntil(Loop& loop, TimePoint at) : Timer(loop.timers()), at_(at) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    waiting_ = h;
    arm(at_);
  }
  void await_resume() const noexcept {}

 private:
  void on_timer() override { waiting_.resume(); }
  TimePoint at_;
  std::coroutine_handle<> waiting_;
};
inline SleepUntil sleep_for(Loop& loop, Duration d) { return SleepUntil(loop, loop.now() + d); }

}  // namespace stateway::io
