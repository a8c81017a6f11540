// Starts the processes of a service, keeps them running, and ends them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/epoll.h"
#include "io/guardian.h"
#include "io/task.h"
#include "upstream/service.h"

namespace stateway::upstream {

class Keeper;

struct SupervisorOptions {
  std::string folder;             // of the unix sockets; must exist
  Duration drain = 30s;           // a restart waits that long for the instance's requests to end …
  Duration grace = 5s;            // … then SIGTERM, and after this SIGKILL
  Duration restart_first = 50ms;  // pause after an early death; the first restart is immediate
  Duration restart_longest = 5s;  // it doubles up to this
  Duration early = 1s;            // a death sooner than this after coming up (or before) is an early one
  /// Gets each line of output, without its end. Default: the log.
  std::function<void(const Instance&, std::string_view line)> output;
};

/// Runs options.count processes of options.command, each with PORT (a free one of 127.0.0.1) or SOCKET
/// (folder/<instance>.sock), and STATEWAY_TOKEN if the service has a token. Health (Monitor) decides when
/// they are up. Belongs to the home loop. Destroying it kills what still runs.
class Supervisor {
 public:
  /// Starts the processes. `guardian` may be nullptr; the others must outlive the supervisor.
  /// Errors: invalid_argument, if the socket paths are too long. A program that cannot be started is logged
  /// and tried again, not an error: it may be there soon.
  static Result<std::unique_ptr<Supervisor>> start(Service& service, io::EpollLoop& loop,
                                                   const io::Guardian* guardian, SupervisorOptions options);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Ends the instance's process as described by the options, and starts it again. Returns at once.
  /// Errors: not_found, if the service has no such instance.
  Result<void> restart(std::string_view instance);
  /// SIGTERM to all, SIGKILL to what still runs at `deadline`; completes when none is left. Nothing starts
  /// any more.
  io::Task<void> stop(TimePoint deadline);

 private:
  explicit Supervisor(SupervisorOptions options);

  SupervisorOptions options_;
  std::vector<std::unique_ptr<Keeper>> keepers_;  // one per instance
};

}  // namespace stateway::upstream
