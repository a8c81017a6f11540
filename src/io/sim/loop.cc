#include "io/sim/loop.h"

#include <algorithm>
#include <utility>

namespace stateway::io {

SimLoop::SimLoop(Random& random, const Faults& faults)
    : random_(random), stall_rate_(faults.stall), stall_max_(faults.stall_max) {
  now_ = kStart;
}

void SimLoop::at(TimePoint when, std::function<void()> what) {
  events_.push_back({when, next_order_++, std::move(what)});
  std::push_heap(events_.begin(), events_.end());
}

void SimLoop::raise(SimWatch& watch, unsigned events) {
  if (watch.raised_ == 0) raised_.push_back(&watch);
  watch.raised_ |= events;
}

void SimLoop::remove(SimWatch& watch) {
  if (std::exchange(watch.raised_, 0) != 0) {
    std::ranges::replace(raised_, &watch, nullptr);
    std::ranges::replace(telling_, &watch, nullptr);
  }
  if (serving_ == &watch) serving_ = nullptr;
}

void SimLoop::wait(TimePoint until) {
  ++turns_;
  now_ += kTurn;
  const bool busy = std::exchange(woken_, false) || !raised_.empty();
  if (!busy) {
    const TimePoint next = events_.empty() ? until : std::min(until, events_.front().when);
    if (next == kNoDeadline) {
      ran_dry_ = true;
      return stop();
    }
    now_ = std::max(now_, next);
    if (happens(random_, stall_rate_)) now_ += draw(random_, Duration(0), stall_max_);
  }
  run_events();
  tell();
}

// Everything that has happened by now, before anybody is told of it: as the kernel's events do not wait for a
// process that is busy.
void SimLoop::run_events() {
  while (!events_.empty() && events_.front().when <= now_) {
    std::pop_heap(events_.begin(), events_.end());
    const std::function<void()> what = std::move(events_.back().what);
    events_.pop_back();
    what();
  }
}

void SimLoop::tell() {
  telling_.swap(raised_);
  for (std::size_t i = 0; i < telling_.size(); ++i) {
    if (telling_[i] == nullptr) continue;
    serving_ = std::exchange(telling_[i], nullptr);
    serving_->on_events(std::exchange(serving_->raised_, 0));
  }
  serving_ = nullptr;
  telling_.clear();
}

}  // namespace stateway::io
