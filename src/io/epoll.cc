#include "io/epoll.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace stateway::io {
namespace {

TimePoint read_clock() { return std::chrono::steady_clock::now(); }

int milliseconds_until(TimePoint until, TimePoint now) {
  if (until == kNoDeadline) return -1;
  if (until <= now) return 0;
  constexpr std::int64_t kLongest = 60'000;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
  return static_cast<int>(std::min<std::int64_t>(left, kLongest));
}

}  // namespace

EpollLoop::EpollLoop()
    : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)), wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  CHECK(epoll_fd_ >= 0 && wake_fd_ >= 0);
  // Edge-triggered and never read: each write is an edge of its own, and the counter cannot overflow in
  // practice.
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
  CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event) == 0);
  now_ = read_clock();
}

EpollLoop::~EpollLoop() {
  close(wake_fd_);
  close(epoll_fd_);
}

Result<void> EpollLoop::add(int fd, std::uint32_t events, Watch& watch) {
  epoll_event event{.events = events, .data = {.ptr = &watch}};
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0)
    return fail(Code::io, Side::self, std::strerror(errno));
  return {};
}

void EpollLoop::modify(int fd, std::uint32_t events, Watch& watch) {
  epoll_event event{.events = events, .data = {.ptr = &watch}};
  CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0);
}

Result<void> EpollLoop::add_or_modify(int fd, std::uint32_t events, Watch& watch) {
  epoll_event event{.events = events, .data = {.ptr = &watch}};
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0) return {};
  if (errno != ENOENT) return fail(Code::io, Side::self, std::strerror(errno));
  return add(fd, events, watch);
}

void EpollLoop::remove(int fd, Watch& watch) {
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
  for (int i = next_event_; i < event_count_; ++i) {
    auto& event = events_[static_cast<std::size_t>(i)];
    if (event.data.ptr == &watch) event.data.ptr = nullptr;
  }
  if (serving_ == &watch) serving_ = nullptr;
}

void EpollLoop::wait(TimePoint until) {
  const int n = epoll_wait(epoll_fd_, events_.data(), kEventsPerTurn, milliseconds_until(until, now_));
  CHECK(n >= 0 || errno == EINTR);
  now_ = read_clock();
  event_count_ = std::max(n, 0);
  for (next_event_ = 0; next_event_ < event_count_;) {
    const epoll_event& event = events_[static_cast<std::size_t>(next_event_++)];
    if (event.data.ptr == nullptr) continue;  // the wake-up, or removed during this turn
    serving_ = static_cast<Watch*>(event.data.ptr);
    serving_->on_events(event.events);
  }
  serving_ = nullptr;
  event_count_ = 0;
}

void EpollLoop::wake() {
  const std::uint64_t one = 1;
  while (write(wake_fd_, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

}  // namespace stateway::io
