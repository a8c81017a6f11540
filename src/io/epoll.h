// The production event loop: edge-triggered epoll.
#pragma once

#include <array>
#include <cstdint>

#include <sys/epoll.h>

#include "io/loop.h"

namespace stateway::io {

/// Something with a file descriptor that wants its readiness events.
class Watch {
 public:
  virtual void on_events(std::uint32_t events) = 0;

 protected:
  ~Watch() = default;
};

class EpollLoop final : public Loop {
 public:
  EpollLoop();  // CHECKs that the kernel grants the descriptors: without them there is no program
  ~EpollLoop() override;

  /// Registers `fd`. Errors: Code::io (watch limit, memory). `watch` must be forgotten before it dies.
  Result<void> add(int fd, std::uint32_t events, Watch& watch);
  void modify(int fd, std::uint32_t events, Watch& watch);
  /// The same as add, or as modify if the descriptor is registered: for one whose owner may have closed and
  /// replaced it. Errors: Code::io.
  Result<void> add_or_modify(int fd, std::uint32_t events, Watch& watch);
  /// Takes `fd` out; call before closing it. Events of this turn that are still undelivered are dropped.
  void remove(int fd, Watch& watch);
  /// Inside on_events: false once the watch being served was removed (so `this` may be gone).
  bool serving(const Watch* watch) const { return serving_ == watch; }

 private:
  void wait(TimePoint until) override;
  void wake() override;

  static constexpr int kEventsPerTurn = 64;
  int epoll_fd_;
  int wake_fd_;
  std::array<epoll_event, kEventsPerTurn> events_;
  int next_event_ = 0;
  int event_count_ = 0;
  Watch* serving_ = nullptr;
};

}  // namespace stateway::io
