// A turn at one session, for lane = "serial": in this process by a lane, among gateways by a lease of the
// store that they share.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "io/timer.h"
#include "session/lanes.h"
#include "store/leases.h"

namespace stateway::session {

/// The lease, held for as long as this lives. On one loop.
class SharedTurn final : private io::Timer {
 public:
  /// A gateway that dies holds up its sessions for so long.
  static constexpr Duration kTtl = 5s;

  SharedTurn(store::Leases& leases, io::Loop& loop, std::string key, std::uint64_t token)
      : Timer(loop.timers()), leases_(leases), loop_(loop), key_(std::move(key)), token_(token) {
    arm(loop_.now() + kTtl / 3);
  }
  ~SharedTurn() { end(); }

  /// What a commit shows the store; 0 once one has ended the lease.
  std::uint64_t token() const { return token_; }
  void ended_by_commit() {
    token_ = 0;
    disarm();
  }
  void end() {
    if (token_ != 0) leases_.give_back(loop_, key_, token_);
    ended_by_commit();
  }

 private:
  void on_timer() override {
    leases_.extend(loop_, key_, token_, kTtl);
    arm(loop_.now() + kTtl / 3);
  }

  store::Leases& leases_;
  io::Loop& loop_;
  const std::string key_;
  std::uint64_t token_;
};

/// Ends with its life, or with `end`.
class Turn {
 public:
  Turn() = default;
  /// `shared`: nullptr where no other gateway has the session.
  Turn(Lanes::Lease lane, std::shared_ptr<SharedTurn> shared)
      : lane_(std::move(lane)), shared_(std::move(shared)) {}
  Turn(Turn&&) = default;
  Turn& operator=(Turn&&) = default;
  ~Turn() { end(); }

  void end() {
    if (shared_) shared_->end();
    shared_.reset();
    lane_.end();
  }

 private:
  Lanes::Lease lane_;
  std::shared_ptr<SharedTurn> shared_;  // the store hears of the end before the next one in this process asks
};

}  // namespace stateway::session
