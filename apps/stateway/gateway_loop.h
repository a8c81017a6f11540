// Everything that one event loop of the gateway owns.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/listener.h"
#include "gateway/pipeline.h"
#include "io/epoll.h"
#include "io/sockets.h"
#include "upstream/service_on_loop.h"

namespace stateway {

/// What all loops share; must outlive them.
struct Shared {
  const WallClock& clock;
  Random& random;
  io::Worker& resolver;
  session::Sessions& sessions;
  session::Holders& holders;
  const gateway::Pipeline& pipeline;
  gateway::Counters& counters;
};

/// Made on the main thread before its own thread runs; then used by that thread only.
class GatewayLoop {
 public:
  /// `session_url_base`: "http://host:port/<number of this loop>/". Serves nothing before `configure`.
  GatewayLoop(const Shared& shared, std::string session_url_base);

  io::EpollLoop& loop() { return loop_; }
  io::Network& network() { return network_; }
  gateway::SessionUrls& session_urls() { return session_urls_; }
  /// Puts a configuration in force; `services` by index in its services. Exchanges in flight keep the one
  /// they began with. Services that are in force already keep their connections and queues. On the loop's
  /// thread, or before that runs.
  void configure(std::shared_ptr<const gateway::Snapshot> snapshot,
                 const std::vector<std::shared_ptr<upstream::Service>>& services);
  /// Begins to accept, unless it drains; on the loop's thread, or before that runs. Clients speak `tls`, or
  /// plain HTTP without. Where it accepts already: those that come from now on. `socket` must live until
  /// `close` or this object's end.
  void listen(const io::ListenSocket& socket, const std::shared_ptr<const io::TlsServer>& tls);
  /// Accepts no more from `socket`: see gateway::Listener::close. On the loop's thread.
  void close(const io::ListenSocket& socket);
  /// On the loop's thread: see gateway::Listener::drain. `done` is called at its end.
  void drain(TimePoint deadline, std::function<void()> done);
  /// Ends what still runs. On the loop's thread, or when that has ended.
  void cut() {
    tasks_.cancel_all();
    listener_.cut();
  }

 private:
  io::Task<void> drain_then(TimePoint deadline, std::function<void()> done);

  std::shared_ptr<upstream::ServiceOnLoop> on_this_loop(const std::shared_ptr<upstream::Service>& service,
                                                        const gateway::LimitsOptions& limits);

  Random& random_;
  io::EpollLoop loop_;
  io::SocketNetwork network_;
  gateway::SessionUrls session_urls_;
  gateway::OnLoop on_;
  gateway::Listener listener_;
  std::map<const io::ListenSocket*, const io::Acceptor*> acceptors_;
  bool draining_ = false;
  io::TaskGroup tasks_;
};

}  // namespace stateway
