// Puts a changed configuration in force while the gateway serves: SIGHUP and POST /v1/reload.
// The road: read and check the file, plan, open what is new; wait until new services are up; then switch:
// services, then every loop, then what only the home loop uses.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "admin/sources.h"
#include "config/config.h"
#include "io/worker.h"
#include "session/key_ring.h"
#include "stateway/gateway_loop.h"
#include "stateway/services.h"
#include "stateway/stores_in_force.h"
#include "wire/server.h"

namespace stateway {

/// A socket where clients come.
struct ClientSocket {
  std::unique_ptr<io::ListenSocket> socket;
  std::shared_ptr<const io::TlsServer> tls;  // nullptr: plain HTTP
};
/// All of them. Outlive the loops, which accept from them.
struct ClientSockets {
  std::vector<ClientSocket> in_force;                      // by index in Config::listen
  std::vector<std::unique_ptr<io::ListenSocket>> closing;  // some loop may still accept from them
};
void log_listening(const ClientSocket& client);
/// What clients of an address are to speak. Errors: invalid_argument; none that reading the configuration has
/// not found.
Result<std::shared_ptr<const io::TlsServer>> make_tls(const gateway::ListenOptions& options);

/// Takes the key file into use if a kind of session seals its cookies and none is in use. Blocks. Errors:
/// KeyRing::use's.
Result<void> use_keys(session::KeyRing& keys, const config::Config& configuration);

/// What a reload replaces, as far as the home loop alone uses it.
struct Reloadable {
  std::string path;  // of the configuration's file; absolute
  std::shared_ptr<const config::Config> config;
  admin::InForce shown;
  ClientSockets sockets;
};

/// Belongs to the home loop.
class Reloader {
 public:
  /// All must outlive it.
  struct Parts {
    Reloadable& held;
    Services& services;
    std::vector<std::unique_ptr<GatewayLoop>>& loops;  // the first is the home loop's
    StoresInForce& stores;
    session::KeyRing& keys;
    wire::Server& session_urls;
    const WallClock& clock;
    const std::atomic<bool>& draining;
  };
  explicit Reloader(Parts parts) : parts_(parts), home_(parts.loops.front()->loop()) {}

  /// Reads the file again. Either all of it is in force on every loop when this completes, or nothing has
  /// changed and the outcome holds the problems. One reload runs at a time, further ones wait for it. Logs
  /// what became of it. Errors: draining.
  io::Task<Result<admin::ReloadOutcome>> reload();
  /// Whether one waits that has not looked at the file yet.
  bool waiting() const { return waiting_ > 0; }
  /// Completes when none is switching, which takes as long as a turn of each loop. Once `draining`, none
  /// begins to.
  io::Task<void> ended();

 private:
  struct Prepared;
  static Prepared prepare(const std::string& path, const config::Config& in_force,
                          const StoresInForce::Set& stores, const WallClock& clock);
  static void open_sockets(Prepared& out, const config::Config& in_force);

  io::Task<Result<admin::ReloadOutcome>> run();
  Result<std::vector<Services::Running>> start_services(const Prepared& next);
  io::Task<void> wait_until_up(const std::vector<Services::Running>& started);
  io::Task<void> put_in_force(Prepared next, std::vector<Services::Running> started);
  void put_sockets_in_force(Prepared& next);
  io::Task<void> switch_loops(std::shared_ptr<const gateway::Snapshot> snapshot);
  void warn_of_lost_sessions(const config::Config& next) const;
  admin::ReloadOutcome refuse(std::vector<std::string> problems);

  const Parts parts_;
  io::Loop& home_;
  bool busy_ = false;
  bool switching_ = false;
  std::size_t waiting_ = 0;
  io::Worker worker_{"reload"};  // reads files, and looks up names of addresses to listen on
};

}  // namespace stateway
