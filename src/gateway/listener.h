// Accepts clients on one loop and owns their connections.
#pragma once

#include <list>
#include <memory>
#include <vector>

#include "gateway/on_loop.h"
#include "io/network.h"
#include "io/task_group.h"

namespace stateway::gateway {

class Connection;

/// Bound to one loop. Destroying it ends every connection at once.
class Listener {
 public:
  explicit Listener(OnLoop& on) : on_(on) {}
  ~Listener();

  /// Begins to accept from `acceptor`; may be called for several addresses.
  void listen(std::unique_ptr<io::Acceptor> acceptor);

  /// Stops accepting, ends idle connections, lets exchanges in flight finish. Completes when the last
  /// connection has ended, or at `deadline`, when those that are left are cut.
  io::Task<void> drain(TimePoint deadline);
  /// Ends everything at once.
  void cut();

 private:
  io::Task<void> accept_from(io::Acceptor& acceptor);
  io::Task<void> serve(io::Accepted accepted);

  OnLoop& on_;
  std::vector<std::unique_ptr<io::Acceptor>> acceptors_;
  std::list<Connection*> open_;  // in the order they came
  io::TaskGroup connections_;
  io::TaskGroup accepting_;
};

}  // namespace stateway::gateway
