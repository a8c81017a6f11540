// What the home loop does beside serving clients: session URLs, the admin API, reloads, the sweep of expired
// sessions, their census, the key file.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "admin/api.h"
#include "admin/census.h"
#include "stateway/gateway_loop.h"
#include "stateway/reload.h"
#include "stateway/services.h"
#include "stateway/stores_in_force.h"
#include "wire/server.h"

namespace stateway {

/// Belongs to the home loop (the first). Its work ends with its destruction.
class Background {
 public:
  struct Parts {
    Reloadable& held;
    const WallClock& clock;
    std::vector<std::unique_ptr<GatewayLoop>>& loops;
    Services& services;
    StoresInForce& stores;
    session::KeyRing& keys;
    const session::Sessions& sessions;
    const session::Holders& holders;
    gateway::Counters& counters;
    const std::atomic<bool>& draining;
    const io::ListenSocket& session_socket;
    const io::ListenSocket& admin_socket;
  };
  /// `parts` must outlive this.
  explicit Background(Parts parts);
  ~Background();

  Reloader& reloader() { return reloader_; }
  void spawn(io::Task<void> task) { tasks_.spawn(std::move(task)); }

 private:
  io::Task<void> sweep();
  io::Task<void> follow_key_file();
  admin::Sources admin_sources();

  Parts parts_;
  io::EpollLoop& home_;
  gateway::SessionUrlHandler session_urls_;
  wire::Server session_url_server_;
  io::SocketAcceptor session_url_acceptor_;
  Reloader reloader_;
  admin::Census census_;
  admin::Api admin_;
  wire::Server admin_server_;
  io::SocketAcceptor admin_acceptor_;
  io::TaskGroup tasks_;  // last: ends before what it uses
};

}  // namespace stateway
