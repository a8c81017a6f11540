// Watches over all instances of a service from the home loop: their health and, when they drain, their end.
#pragma once

#include <memory>
#include <vector>

#include "io/network.h"
#include "io/task_group.h"
#include "io/wait_queue.h"
#include "upstream/service.h"

namespace stateway::upstream {

/// Runs the health checks of one service, times the draining of its instances, takes removed ones at fixed
/// addresses out of its roster once they are drained, and follows that roster. Belongs to the home loop; all
/// of it ends with its destruction.
class Monitor final : private Changes::Listener {
 public:
  /// The references must outlive the monitor.
  Monitor(Service& service, io::Loop& loop, io::Network& network);
  ~Monitor();

 private:
  class Check;
  void on_change() override;
  void take_roster();
  void time_drains();
  io::Task<void> take_out_drained();

  Service& service_;
  io::Loop& loop_;
  io::Network& network_;
  std::shared_ptr<const Roster> roster_;
  std::vector<std::unique_ptr<Check>> checks_;
  io::WaitQueue drains_;
  io::TaskGroup tasks_;
  Changes::Subscription subscription_;
};

}  // namespace stateway::upstream
