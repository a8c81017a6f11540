// What the home loop does beside serving clients: session URLs, the admin API, the sweep of expired sessions,
// the key file.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <vector>

#include "admin/api.h"
#include "config/config.h"
#include "stateway/gateway_loop.h"
#include "upstream/supervisor.h"
#include "wire/server.h"

namespace stateway {

/// Belongs to the home loop (the first). Its work ends with its destruction.
class Background {
 public:
  struct Parts {
    const config::Config& config;
    const admin::InForce& in_force;
    const WallClock& clock;
    std::vector<std::unique_ptr<GatewayLoop>>& loops;
    std::map<std::string, std::unique_ptr<upstream::Supervisor>, std::less<>>& supervisors;  // by service
    store::StateStore& store;
    session::KeyRing& keys;
    gateway::Counters& counters;
    const std::atomic<bool>& draining;
    const io::ListenSocket& session_socket;
    const io::ListenSocket& admin_socket;
  };
  /// `parts` must outlive this.
  explicit Background(Parts parts);
  ~Background();

  void spawn(io::Task<void> task) { tasks_.spawn(std::move(task)); }

 private:
  io::Task<void> sweep();
  io::Task<void> follow_key_file();
  admin::Sources admin_sources();
  Result<void> restart(std::string_view service, std::string_view instance);
  void apply(std::string_view service);

  Parts parts_;
  io::EpollLoop& home_;
  gateway::SessionUrlHandler session_urls_;
  wire::Server session_url_server_;
  io::SocketAcceptor session_url_acceptor_;
  admin::Api admin_;
  wire::Server admin_server_;
  io::SocketAcceptor admin_acceptor_;
  io::TaskGroup tasks_;  // last: ends before what it uses
};

}  // namespace stateway
