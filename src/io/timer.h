// Deadlines. A Timer is a member of what waits; arming one that is already scheduled earlier is a plain
// store, so a deadline that moves with every read costs nothing until it fires (the heap entry is then moved,
// lazily).
#pragma once

#include <cstddef>
#include <vector>

#include "base/clock.h"

namespace stateway::io {

/// "Never": for sources that end with the loop itself (signals, child exits, accepting). All other waits name
/// a time.
inline constexpr TimePoint kNoDeadline = TimePoint::max();

class Timers;

/// Calls on_timer once, at the first turn of the loop that is not before the armed time. Not thread-safe.
/// Must not outlive its loop. Destroying it disarms it.
class Timer {
 public:
  explicit Timer(Timers& timers) : timers_(timers) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer();

  /// Replaces an earlier time. kNoDeadline disarms.
  void arm(TimePoint at);
  void disarm() { due_ = kNoDeadline; }
  bool armed() const { return due_ != kNoDeadline; }

 protected:
  virtual void on_timer() = 0;

 private:
  friend class Timers;
  static constexpr std::size_t kNotScheduled = static_cast<std::size_t>(-1);

  Timers& timers_;
  TimePoint due_ = kNoDeadline;
  TimePoint scheduled_{};
  std::size_t slot_ = kNotScheduled;  // index in the heap
};

/// A binary heap of scheduled timers, one per loop.
class Timers {
 public:
  /// The time until which nothing can fire; kNoDeadline when empty. May be early, never late.
  TimePoint next() const { return heap_.empty() ? kNoDeadline : heap_.front()->scheduled_; }
  /// Fires what is due at `now`. A timer armed by a callback for `now` or before fires in the same call.
  void fire(TimePoint now);
  std::size_t scheduled() const { return heap_.size(); }

 private:
  friend class Timer;
  void schedule(Timer& t, TimePoint at);
  void remove(Timer& t);
  void place(std::size_t slot, Timer& t);
  void sift_up(std::size_t slot);
  void sift_down(std::size_t slot);

  std::vector<Timer*> heap_;
};

}  // namespace stateway::io
