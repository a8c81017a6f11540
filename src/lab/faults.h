// Faults on a schedule. Here the hardest one: SIGKILL, which leaves a process no chance to say or save
// anything.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "io/loop.h"
#include "io/task.h"

namespace stateway::lab {

/// Who may be killed, asked anew before each kill.
class Targets {
 public:
  virtual ~Targets() = default;
  /// Processes that run now; none: this round kills nobody.
  virtual io::Task<std::vector<pid_t>> alive() = 0;
};

struct KillPlan {
  Duration every = 1s;          // also the wait before the first kill
  std::uint64_t kills_max = 0;  // 0: until cancelled
  Duration freeze{0};           // first stopped (SIGSTOP) for so long: then it dies with requests inside
};

/// Kills one process after the other, drawn by `random`: the same seed and the same targets give the same
/// victims. Belongs to one loop.
class Killer {
 public:
  Killer(io::Loop& loop, Targets& targets, Random& random, KillPlan plan)
      : loop_(loop), targets_(targets), random_(random), plan_(plan) {}

  /// Kills until kills_max, or until the task is destroyed.
  io::Task<void> run();
  std::uint64_t kills() const { return kills_; }    // signals that found their process
  std::uint64_t rounds() const { return rounds_; }  // tries, those without a target included

 private:
  io::Loop& loop_;
  Targets& targets_;
  Random& random_;
  KillPlan plan_;
  std::uint64_t kills_ = 0;
  std::uint64_t rounds_ = 0;
};

}  // namespace stateway::lab
