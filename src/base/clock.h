// Time comes in by constructor so that tests and the simulation can own it.
#pragma once

#include <chrono>
#include <cstdint>

namespace stateway {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;  // deadlines; never goes back
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

/// Milliseconds since 1970-01-01T00:00:00Z: what records and cookies store.
using WallMillis = std::int64_t;

/// Wall time. Thread-safe. It may jump; deadlines use TimePoint of the loop instead.
class WallClock {
 public:
  virtual ~WallClock() = default;
  virtual WallMillis now() const = 0;
};

/// The machine's clock. Thread-safe, stateless.
class SystemClock final : public WallClock {
 public:
  WallMillis now() const override;
};

/// A clock that tests move by hand. Not thread-safe while it is being moved.
class ManualClock final : public WallClock {
 public:
  WallMillis now() const override { return now_; }
  void set(WallMillis t) { now_ = t; }
  void advance(std::chrono::milliseconds d) { now_ += d.count(); }

 private:
  WallMillis now_ = 1'700'000'000'000;
};

}  // namespace stateway
