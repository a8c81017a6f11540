#include "lab/faults.h"

#include <signal.h>

namespace stateway::lab {

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
    if (plan_.freeze > Duration(0) && kill(victim, SIGSTOP) == 0) co_await io::sleep_for(loop_, plan_.freeze);
    if (kill(victim, SIGKILL) == 0) ++kills_;
  }
}

}  // namespace stateway::lab
