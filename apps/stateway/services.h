// The services in force, each with what watches over it and runs its processes; and those that a reload has
// taken out of force, until their last exchange has ended.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/epoll.h"
#include "io/guardian.h"
#include "io/network.h"
#include "io/task_group.h"
#include "stateway/reload_plan.h"
#include "upstream/monitor.h"
#include "upstream/supervisor.h"

namespace stateway {

/// Belongs to the home loop. Destroying it kills the processes that still run.
class Services {
 public:
  /// What all of them use; must outlive them.
  struct Ground {
    const WallClock& clock;
    io::EpollLoop& home;
    io::Network& network;
    const io::Guardian& guardian;
    std::string folder;  // of the unix sockets; exists
  };
  explicit Services(Ground ground) : ground_(std::move(ground)) {}

  struct Running {
    std::shared_ptr<upstream::Service> service;
    std::unique_ptr<upstream::Monitor> monitor;
    std::unique_ptr<upstream::Supervisor> supervisor;  // nullptr: instances at fixed addresses
    std::string folder;                                // of the supervised ones' sockets
  };
  /// Starts a service that is not in force yet: its processes and its checks. Destroying it ends it.
  /// Errors: Supervisor's; io, when its folder cannot be made.
  Result<Running> start(const upstream::ServiceOptions& options);

  /// Makes `next` the services in force; `fates` by index. `started` holds those that are new. Those of
  /// before that are not among them leave: they stay until nobody holds their Service any more, their
  /// processes for `drain` at most.
  void replace(const std::vector<upstream::ServiceOptions>& next, const std::vector<ReloadPlan::Fate>& fates,
               std::vector<Running> started, Duration drain);

  /// In the order of the configuration.
  std::vector<std::shared_ptr<upstream::Service>> in_force() const;

  /// See Supervisor. Errors: not_found, also for a service that is not supervised.
  Result<void> restart(std::string_view service, std::string_view instance);
  /// See Supervisor; nothing for a service that is not supervised.
  void apply(std::string_view service);
  /// Ends all processes; completes when none is left. Nothing starts any more.
  io::Task<void> stop(TimePoint deadline);

 private:
  io::Task<void> see_off(Running leaving, TimePoint processes_until);

  const Ground ground_;
  unsigned starts_ = 0;
  bool stopping_ = false;
  std::vector<Running> running_;
  io::TaskGroup leaving_;
};

}  // namespace stateway
