#include "lab/faults.h"

#include <signal.h>

#include <utility>

namespace stateway::lab {
namespace {

// A process that is stopped and will be killed: also when whoever waits for that is cancelled meanwhile.
class Frozen {
 public:
  explicit Frozen(pid_t pid) : pid_(kill(pid, SIGSTOP) == 0 ? pid : 0) {}
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;
  ~Frozen() { finish(); }
  bool finish() {
    const pid_t pid = std::exchange(pid_, 0);
    return pid != 0 && kill(pid, SIGKILL) == 0;
  }

 private:
  pid_t pid_;
};

}  // namespace

io::Task<void> Killer::run() {
  TimePoint next = loop_.now();
  while (plan_.kills_max == 0 || kills_ < plan_.kills_max) {
    next += plan_.every;
    co_await io::SleepUntil(loop_, next);
    ++rounds_;
    const std::vector<pid_t> alive = co_await targets_.alive();
    if (alive.empty()) continue;
    const pid_t victim = alive[random_.below(alive.size())];
    if (victim <= 1) continue;  // 0 and below would name a group
    Frozen frozen(victim);
    if (plan_.freeze > Duration(0)) co_await io::sleep_for(loop_, plan_.freeze);
    if (frozen.finish()) ++kills_;
  }
}

}  // namespace stateway::lab
