// Readiness of a descriptor that a library owns, reads, writes and may replace itself (libpq).
#pragma once

#include <coroutine>
#include <cstdint>

#include "io/epoll.h"
#include "io/timer.h"

namespace stateway::io {

/// Watches the descriptor only while somebody waits, and by its level: a library need not have read all there
/// was, and may close the descriptor whenever nobody waits. One waiter at a time. Not thread-safe; must not
/// outlive its loop.
class BorrowedDescriptor final : private Watch, private Timer {
 public:
  explicit BorrowedDescriptor(Loop& loop);
  BorrowedDescriptor(const BorrowedDescriptor&) = delete;
  BorrowedDescriptor& operator=(const BorrowedDescriptor&) = delete;
  ~BorrowedDescriptor() override;

  class Wait;
  enum class For : std::uint8_t { reading, writing, either };
  /// Completes when an operation of that kind on `fd` would not block; it may fail. Errors: timeout; io when
  /// the system refuses to watch it, or the loop has no descriptors.
  Wait ready(int fd, For what, TimePoint deadline);
  /// The wait under way, if there is one, also ends once a write would not block.
  void also_for_writing();
  /// The wait under way, if there is one, has this deadline now.
  void move_deadline(TimePoint deadline);

 private:
  void on_events(std::uint32_t events) override;
  void on_timer() override;
  bool watch(int fd, For what);
  void finish(bool late);

  EpollLoop* loop_;  // nullptr: the simulation's
  int fd_ = -1;      // while somebody waits
  std::coroutine_handle<> waiting_;
  bool late_ = false;
};

class [[nodiscard]] BorrowedDescriptor::Wait {
 public:
  Wait(BorrowedDescriptor& descriptor, int fd, For what, TimePoint deadline)
      : descriptor_(descriptor), fd_(fd), what_(what), deadline_(deadline) {}
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;
  ~Wait();
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> h);
  Result<void> await_resume() const;

 private:
  BorrowedDescriptor& descriptor_;
  int fd_;
  For what_;
  TimePoint deadline_;
  bool refused_ = false;
};

}  // namespace stateway::io
