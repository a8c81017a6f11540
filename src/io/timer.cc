#include "io/timer.h"

#include <utility>

namespace stateway::io {

Timer::~Timer() {
  if (slot_ != kNotScheduled) timers_.remove(*this);
}

void Timer::arm(TimePoint at) {
  due_ = at;
  if (at == kNoDeadline) return;
  if (slot_ != kNotScheduled && scheduled_ <= at) return;  // looked at again when the earlier entry comes up
  timers_.schedule(*this, at);
}

void Timers::fire(TimePoint now) {
  while (!heap_.empty() && heap_.front()->scheduled_ <= now) {
    Timer& t = *heap_.front();
    if (t.due_ > now) {
      const TimePoint due = t.due_;
      remove(t);
      if (due != kNoDeadline) schedule(t, due);
      continue;
    }
    remove(t);
    t.due_ = kNoDeadline;
    t.on_timer();
  }
}

void Timers::schedule(Timer& t, TimePoint at) {
  t.scheduled_ = at;
  if (t.slot_ == Timer::kNotScheduled) {
    heap_.push_back(&t);
    t.slot_ = heap_.size() - 1;
  }
  sift_up(t.slot_);
  sift_down(t.slot_);
}

void Timers::remove(Timer& t) {
  const std::size_t slot = std::exchange(t.slot_, Timer::kNotScheduled);
  Timer* last = heap_.back();
  heap_.pop_back();
  if (last == &t) return;
  place(slot, *last);
  sift_up(slot);
  sift_down(last->slot_);
}

void Timers::place(std::size_t slot, Timer& t) {
  heap_[slot] = &t;
  t.slot_ = slot;
}

void Timers::sift_up(std::size_t slot) {
  Timer& t = *heap_[slot];
  while (slot > 0) {
    const std::size_t parent = (slot - 1) / 2;
    if (heap_[parent]->scheduled_ <= t.scheduled_) break;
    place(slot, *heap_[parent]);
    slot = parent;
  }
  place(slot, t);
}

void Timers::sift_down(std::size_t slot) {
  Timer& t = *heap_[slot];
  for (;;) {
    std::size_t child = 2 * slot + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->scheduled_ < heap_[child]->scheduled_) ++child;
    if (t.scheduled_ <= heap_[child]->scheduled_) break;
    place(slot, *heap_[child]);
    slot = child;
  }
  place(slot, t);
}

}  // namespace stateway::io
