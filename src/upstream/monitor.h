// Watches over all instances of a service from the home loop.
#pragma once

#include <memory>
#include <vector>

#include "io/network.h"
#include "upstream/service.h"

namespace stateway::upstream {

/// Runs the health checks of one service, and follows its roster. Belongs to the home loop; checking ends
/// with its destruction.
class Monitor final : private Changes::Listener {
 public:
  /// The references must outlive the monitor.
  Monitor(Service& service, io::Loop& loop, io::Network& network);
  ~Monitor();

 private:
  class Check;
  void on_change() override;
  void take_roster();

  Service& service_;
  io::Loop& loop_;
  io::Network& network_;
  std::shared_ptr<const Roster> roster_;
  std::vector<std::unique_ptr<Check>> checks_;
  Changes::Subscription subscription_;
};

}  // namespace stateway::upstream
