// Starts the processes of a service, keeps them running, and ends them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "io/epoll.h"
#include "io/guardian.h"
#include "io/task.h"
#include "io/task_group.h"
#include "io/wait_queue.h"
#include "upstream/service.h"

namespace stateway::upstream {

class Keeper;
struct Program;

struct SupervisorOptions {
  std::string folder;             // of the unix sockets; must exist
  Duration grace = 5s;            // from SIGTERM, when a process has drained, to SIGKILL
  Duration restart_first = 50ms;  // pause after an early death; the first restart is immediate
  Duration restart_longest = 5s;  // it doubles up to this
  Duration early = 1s;            // a death sooner than this after coming up (or before) is an early one
  std::shared_ptr<Random> random = std::make_shared<SystemRandom>();  // of identities; thread-safe
  /// Gets each line of output, without its end. Default: the log.
  std::function<void(const Instance&, std::string_view line)> output;
};

/// Runs options.count processes of options.command, each with PORT (a free one of 127.0.0.1) or SOCKET
/// (folder/<instance>.sock), and STATEWAY_TOKEN if the service has a token. Health (Monitor) decides when
/// they are up. Belongs to the home loop. Destroying it kills what still runs.
class Supervisor final : private Changes::Listener {
 public:
  /// Starts the processes. `guardian` may be nullptr; the others must outlive the supervisor.
  /// Errors: invalid_argument, if the socket paths are too long. A program that cannot be started is logged
  /// and tried again, not an error: it may be there soon.
  static Result<std::unique_ptr<Supervisor>> start(Service& service, io::EpollLoop& loop,
                                                   const io::Guardian* guardian, SupervisorOptions options);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Makes the processes what the service's roster asks for, now that it has changed. Returns at once.
  /// Added instances are started. Removed ones drain (at most options.drain), get SIGTERM, SIGKILL after the
  /// grace, and leave the roster. If the command, `socket` or the token changed, the processes are restarted
  /// one by one, those that are not up first, the next when the last one has been up for options.early. One
  /// that does not come up ends this: it goes back to the program that it had before if it was up with that,
  /// the others keep theirs, and the service's rollout says so. The next `apply` tries again.
  void apply();
  /// Lets the instance's process drain, ends it, and starts it again, as the roster has it now. Returns at
  /// once. Errors: not_found, if the service has no such instance, or not for long any more.
  Result<void> restart(std::string_view instance);
  /// SIGTERM to all, SIGKILL to what still runs at `deadline`; completes when none is left. Nothing starts
  /// any more.
  io::Task<void> stop(TimePoint deadline);

 private:
  Supervisor(Service& service, io::EpollLoop& loop, const io::Guardian* guardian, SupervisorOptions options);

  void on_change() override;
  Keeper* keeper_of(const Instance& instance) const;
  void keep(const std::shared_ptr<Instance>& instance, const Program& program);
  Keeper* next_to_roll(const Program& wanted) const;
  io::Task<void> roll();
  io::Task<bool> comes_up(std::shared_ptr<Instance> instance);

  Service& service_;
  io::EpollLoop& loop_;
  const io::Guardian* guardian_;
  SupervisorOptions options_;
  bool stopping_ = false;
  std::vector<std::unique_ptr<Keeper>> keepers_;  // one per instance
  io::WaitQueue changed_;
  io::TaskGroup rolling_;  // at most one
  Changes::Subscription subscription_;
};

}  // namespace stateway::upstream
