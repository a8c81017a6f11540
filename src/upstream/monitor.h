// Watches over all instances of a service from the home loop: their health and, when they drain, their end.
#pragma once

#include <memory>
#include <vector>

#include "io/network.h"
#include "io/task_group.h"
#include "io/wait_queue.h"
#include "upstream/service.h"

namespace stateway::upstream {

/// Between two look-ups of a name: what the system's resolver does not tell is for how long an answer is
/// good, and this is what orchestrators make short-lived records for.
inline constexpr Duration kResolveEvery = 5s;

/// Runs the health checks of one service, times the draining of its instances, takes removed ones at fixed
/// addresses out of its roster once they are drained, looks up the names of instances, and follows that
/// roster. Belongs to the home loop; all of it ends with its destruction.
class Monitor final : private Changes::Listener {
 public:
  /// The references must outlive the monitor.
  Monitor(Service& service, io::Loop& loop, io::Network& network, Duration resolve_every = kResolveEvery);
  ~Monitor();

 private:
  class Check;
  void on_change() override;
  void take_roster();
  void time_drains();
  io::Task<void> take_out_drained();
  io::Task<void> look_up_names();

  Service& service_;
  io::Loop& loop_;
  io::Network& network_;
  const Duration resolve_every_;
  std::shared_ptr<const Roster> roster_;
  std::vector<std::unique_ptr<Check>> checks_;
  io::WaitQueue drains_;
  io::WaitQueue names_;
  io::TaskGroup tasks_;
  Changes::Subscription subscription_;
};

}  // namespace stateway::upstream
