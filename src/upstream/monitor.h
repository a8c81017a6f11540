// Watches over all instances of a service from the home loop.
#pragma once

#include <memory>
#include <vector>

#include "io/network.h"
#include "io/task_group.h"
#include "io/wait_queue.h"
#include "upstream/health.h"
#include "upstream/service.h"

namespace stateway::upstream {

/// Runs the health checks of one service. Belongs to the home loop; checking ends with its destruction.
class Monitor final : private Changes::Listener {
 public:
  /// The references must outlive the monitor.
  Monitor(Service& service, io::Loop& loop, io::Network& network);
  ~Monitor();

 private:
  struct Check;
  void on_change() override;
  io::Task<void> watch(Check& check);

  io::Loop& loop_;
  HealthProbe probe_;
  std::vector<std::unique_ptr<Check>> checks_;
  io::TaskGroup tasks_;
  Changes::Subscription subscription_;
};

}  // namespace stateway::upstream
