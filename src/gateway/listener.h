// Accepts clients on one loop and owns their connections.
#pragma once

#include <list>
#include <memory>
#include <vector>

#include "gateway/on_loop.h"
#include "io/network.h"
#include "io/task_group.h"
#include "io/tls.h"

namespace stateway::gateway {

class Connection;

/// Bound to one loop. Destroying it ends every connection at once.
class Listener {
 public:
  explicit Listener(OnLoop& on) : on_(on) {}
  ~Listener();

  /// Begins to accept from `acceptor`; may be called for several addresses. `tls`: what clients that come by
  /// it speak, or nullptr for plain HTTP.
  void listen(std::unique_ptr<io::Acceptor> acceptor, std::shared_ptr<const io::TlsServer> tls = nullptr);
  /// What those speak that come from now on.
  void set_tls(const io::Acceptor& acceptor, std::shared_ptr<const io::TlsServer> tls);
  /// Stops accepting from one and destroys it. Its idle connections end; the others end with their present
  /// exchange, however long that takes.
  void close(const io::Acceptor& acceptor);

  /// Stops accepting, ends idle connections, lets exchanges in flight finish. Completes when the last
  /// connection has ended, or at `deadline`, when those that are left are cut.
  io::Task<void> drain(TimePoint deadline);
  /// Ends everything at once.
  void cut();

 private:
  struct Door : std::enable_shared_from_this<Door> {
    std::unique_ptr<io::Acceptor> acceptor;
    std::shared_ptr<const io::TlsServer> tls;
    std::list<Connection*> open;  // connections that came through it, in the order they came
    io::TaskGroup accepting;
  };

  io::Task<void> accept_from(Door& door);
  io::Task<void> serve(io::Accepted accepted, std::shared_ptr<Door> door);
  void note_failure(const Error& error);
  static void shut(Door& door);
  std::vector<std::shared_ptr<Door>>::iterator door_of(const io::Acceptor& acceptor);

  // A gateway without free descriptors fails fifty times a second on each loop: that would bury the log.
  static constexpr Duration kComplainEvery = 10s;

  OnLoop& on_;
  std::uint64_t failures_ = 0;  // of accepting, since the last line about them
  TimePoint complain_from_{};
  std::vector<std::shared_ptr<Door>> doors_;
  io::TaskGroup connections_;
};

}  // namespace stateway::gateway
