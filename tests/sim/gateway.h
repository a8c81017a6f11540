// One gateway in the simulation: what apps/stateway puts together for one loop, on simulated parts.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "gateway/listener.h"
#include "gateway/on_loop.h"
#include "gateway/pipeline.h"
#include "io/sim/clock.h"
#include "io/sim/network.h"
#include "session/sessions.h"
#include "upstream/monitor.h"
#include "wire/server.h"

namespace stateway::sim {

/// Reads a configuration; CHECKs that it has no problems. To `toml` a loopback admin address and a store in
/// memory are added.
config::Config configuration(std::string_view toml);

/// What a gateway stands on. All of it must outlive the gateway.
struct Ground {
  io::SimLoop& loop;
  io::SimHost& host;
  const WallClock& clock;
  Random& random;
  store::StateStore& store;
};

/// Everything of a gateway but its processes' supervision, admin API and sweep. Its destruction is a kill:
/// all that it does ends at once, and the system closes its connections.
class Gateway {
 public:
  /// Listens on the addresses of the configuration, and on its session_address, at once.
  Gateway(Ground ground, const config::Config& configuration);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  /// As SIGTERM: completes when the last exchange has ended, at the latest after gateway.drain_timeout.
  io::Task<void> drain();
  /// As a reload: its sessions, routes and limits are in force from now on; services stay as they are.
  void reload(const config::Config& configuration);

  upstream::Service& service(std::size_t index = 0) { return *services_[index]; }
  upstream::ServiceOnLoop& service_on_loop(std::size_t index = 0) { return *on_.config->services[index]; }
  /// Idle connections to all instances.
  std::size_t idle_connections() const;
  const gateway::Counters& counters() const { return counters_; }
  const session::Counts& session_counts() const { return sessions_.counts(); }
  /// What should be gone once all clients have: exchanges, requests in flight at instances, places in queues,
  /// lanes. Empty: nothing is left.
  std::string leftovers() const;

 private:
  const config::Config& config_;
  io::SimLoop& loop_;
  gateway::Counters counters_;
  gateway::Pipeline pipeline_;
  session::KeyRing keys_;
  session::Sessions sessions_;
  session::Holders holders_;
  gateway::SessionUrls session_urls_;
  std::vector<std::unique_ptr<upstream::Service>> services_;
  gateway::OnLoop on_;
  gateway::SessionUrlHandler session_url_handler_;
  wire::Server session_url_server_;
  std::unique_ptr<io::Acceptor> session_url_acceptor_;
  std::vector<std::unique_ptr<upstream::Monitor>> monitors_;
  io::TaskGroup tasks_;
  gateway::Listener listener_;  // last: the exchanges end before what they use
};

}  // namespace stateway::sim
