#include "io/borrowed_descriptor.h"

#include <utility>

#include "base/check.h"

namespace stateway::io {
namespace {

// One event, then none until it is asked for again: the level of a descriptor nobody reads would never rest.
std::uint32_t events_of(BorrowedDescriptor::For what) {
  constexpr std::uint32_t kOnce = EPOLLONESHOT | EPOLLRDHUP;
  switch (what) {
    case BorrowedDescriptor::For::reading:
      return kOnce | EPOLLIN;
    case BorrowedDescriptor::For::writing:
      return kOnce | EPOLLOUT;
    case BorrowedDescriptor::For::either:
      return kOnce | EPOLLIN | EPOLLOUT;
  }
  return kOnce;
}

}  // namespace

BorrowedDescriptor::BorrowedDescriptor(Loop& loop)
    : Timer(loop.timers()), loop_(dynamic_cast<EpollLoop*>(&loop)) {}

BorrowedDescriptor::~BorrowedDescriptor() { CHECK(fd_ < 0); }

BorrowedDescriptor::Wait BorrowedDescriptor::ready(int fd, For what, TimePoint deadline) {
  return Wait(*this, fd, what, deadline);
}

bool BorrowedDescriptor::watch(int fd, For what) {
  return loop_ != nullptr && loop_->add_or_modify(fd, events_of(what), *this).has_value();
}

void BorrowedDescriptor::also_for_writing() {
  if (fd_ >= 0) CHECK(watch(fd_, For::either));
}

void BorrowedDescriptor::move_deadline(TimePoint deadline) {
  if (fd_ >= 0) arm(deadline);
}

void BorrowedDescriptor::on_events(std::uint32_t) { finish(false); }
void BorrowedDescriptor::on_timer() { finish(true); }

void BorrowedDescriptor::finish(bool late) {
  if (late) loop_->remove(fd_, *this);
  fd_ = -1;  // whose descriptor it is now, only the library knows
  late_ = late;
  disarm();
  std::exchange(waiting_, nullptr).resume();
}

bool BorrowedDescriptor::Wait::await_suspend(std::coroutine_handle<> h) {
  CHECK(!descriptor_.waiting_);
  refused_ = fd_ < 0 || !descriptor_.watch(fd_, what_);
  if (refused_) return false;
  descriptor_.fd_ = fd_;
  descriptor_.waiting_ = h;
  descriptor_.arm(deadline_);
  return true;
}

Result<void> BorrowedDescriptor::Wait::await_resume() const {
  if (refused_) return fail(Code::io, Side::self, "the system refuses to watch a connection");
  if (descriptor_.late_) return fail(Code::timeout);
  return {};
}

BorrowedDescriptor::Wait::~Wait() {
  if (descriptor_.fd_ < 0) return;  // over
  descriptor_.loop_->remove(descriptor_.fd_, descriptor_);
  descriptor_.fd_ = -1;
  descriptor_.waiting_ = nullptr;
  descriptor_.disarm();
}

}  // namespace stateway::io
