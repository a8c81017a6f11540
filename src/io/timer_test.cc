#include "io/timer.h"

#include <gtest/gtest.h>

#include <memory>

namespace stateway::io {
namespace {

struct CountingTimer final : Timer {
  explicit CountingTimer(Timers& t) : Timer(t) {}
  void on_timer() override { ++fired; }
  int fired = 0;
};
TimePoint at(int ms) { return TimePoint(std::chrono::milliseconds(ms)); }

TEST(Timer, FiresAtItsTimeNotBefore) {
  Timers timers;
  CountingTimer t(timers);
  t.arm(at(100));
  timers.fire(at(50));
  EXPECT_EQ(t.fired, 0);
  timers.fire(at(100));
  EXPECT_EQ(t.fired, 1);
  timers.fire(at(1000));
  EXPECT_EQ(t.fired, 1);
}

TEST(Timer, AnExtendedDeadlineFiresOnlyAtTheNewTime) {
  Timers timers;
  CountingTimer t(timers);
  t.arm(at(100));
  t.arm(at(300));
  timers.fire(at(200));
  EXPECT_EQ(t.fired, 0);
  timers.fire(at(300));
  EXPECT_EQ(t.fired, 1);
}

TEST(Timer, AShortenedOrDisarmedOneKeepsItsWord) {
  Timers timers;
  CountingTimer shortened(timers), disarmed(timers);
  shortened.arm(at(300));
  shortened.arm(at(100));
  disarmed.arm(at(100));
  disarmed.disarm();
  timers.fire(at(100));
  EXPECT_EQ(shortened.fired, 1);
  EXPECT_EQ(disarmed.fired, 0);
  EXPECT_EQ(timers.scheduled(), 0u);
}

TEST(Timer, ManyInRandomOrderFireInOrder) {
  Timers timers;
  std::vector<std::unique_ptr<CountingTimer>> all;
  for (int i = 0; i < 500; ++i) {
    all.push_back(std::make_unique<CountingTimer>(timers));
    all.back()->arm(at((i * 7919) % 500));
  }
  for (int i = 0; i < 500; i += 3) all[static_cast<std::size_t>(i)].reset();
  for (int now = 0; now < 500; ++now) {
    timers.fire(at(now));
    for (int i = 0; i < 500; ++i) {
      const auto& t = all[static_cast<std::size_t>(i)];
      if (t) {
        EXPECT_EQ(t->fired, (i * 7919) % 500 <= now ? 1 : 0);
      }
    }
  }
}

}  // namespace
}  // namespace stateway::io
