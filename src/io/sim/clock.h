// The wall clock of the simulation: goes with the loop, and jumps when told.
#pragma once

#include "base/clock.h"
#include "io/sim/loop.h"

namespace stateway::io {

class SimClock final : public WallClock {
 public:
  /// `loop` must outlive the clock.
  explicit SimClock(const SimLoop& loop) : loop_(loop) {}

  WallMillis now() const override {
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(loop_.now() - SimLoop::kStart);
    return kStart + elapsed.count() + offset_;
  }
  /// As when an operator or a time daemon sets it: negative goes back.
  void jump(std::chrono::milliseconds by) { offset_ += by.count(); }

 private:
  static constexpr WallMillis kStart = 1'700'000'000'000;
  const SimLoop& loop_;
  WallMillis offset_ = 0;
};

}  // namespace stateway::io
