// An event loop in virtual time: it waits by setting its clock to the moment of the next event. One thread,
// no sockets; a run is the same for the same calls, to the last octet and nanosecond.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "io/loop.h"
#include "io/sim/faults.h"

namespace stateway::io {

/// Something that wants to be told, on the loop's turn, that its state has changed; as Watch of epoll.h.
class SimWatch {
 public:
  virtual void on_events(unsigned events) = 0;

 protected:
  ~SimWatch() = default;

 private:
  friend class SimLoop;
  unsigned raised_ = 0;
};

/// Time starts at kStart. Each turn takes kTurn, so that nobody can spin without time going on.
class SimLoop final : public Loop {
 public:
  static constexpr TimePoint kStart{3600s};
  static constexpr Duration kTurn = std::chrono::microseconds(1);

  /// With the stalls of `faults`, drawn from `random`, which must outlive the loop.
  explicit SimLoop(Random& random, const Faults& faults = {});
  ~SimLoop() override = default;

  /// Runs `what` in the first turn that is not before `when`: in order of time, then of the calls.
  void at(TimePoint when, std::function<void()> what);

  /// Tells `watch` once in this turn or the next, with all events raised until then.
  void raise(SimWatch& watch, unsigned events);
  /// Drops what was raised. Call before `watch` dies.
  void remove(SimWatch& watch);
  /// Inside on_events: false once the watch being served was removed.
  bool serving(const SimWatch* watch) const { return serving_ == watch; }

  /// `run` ended because nothing could ever happen any more: no timer, no event, no mail.
  bool ran_dry() const { return ran_dry_; }
  std::uint64_t turns() const { return turns_; }
  void set_stalls(double rate, Duration most) {
    stall_rate_ = rate;
    stall_max_ = most;
  }

 private:
  struct Event {
    TimePoint when;
    std::uint64_t order;
    std::function<void()> what;
    bool operator<(const Event& other) const {  // of a heap whose top is the first
      return when != other.when ? when > other.when : order > other.order;
    }
  };

  void wait(TimePoint until) override;
  void wake() override { woken_ = true; }
  void run_events();
  void tell();

  Random& random_;
  double stall_rate_;
  Duration stall_max_;
  std::vector<Event> events_;  // a heap
  std::uint64_t next_order_ = 0;
  std::vector<SimWatch*> raised_;   // in order; nullptr: removed meanwhile
  std::vector<SimWatch*> telling_;  // those of this turn
  SimWatch* serving_ = nullptr;
  std::uint64_t turns_ = 0;
  bool woken_ = false;
  bool ran_dry_ = false;
};

}  // namespace stateway::io
