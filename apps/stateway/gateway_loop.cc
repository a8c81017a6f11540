#include "stateway/gateway_loop.h"

namespace stateway {
namespace {

/// A service's part on one loop, and the service with it.
struct Pair {
  Pair(std::shared_ptr<upstream::Service> s, io::Loop& loop, io::Network& network, Random& random,
       http::HeadLimits limits)
      : service(std::move(s)), on_loop(*service, loop, network, random, limits) {}
  const std::shared_ptr<upstream::Service> service;
  upstream::ServiceOnLoop on_loop;
};

http::HeadLimits response_head_limits(const gateway::LimitsOptions& limits) {
  // A response's head may carry patches beside what any head may hold.
  return {limits.head_bytes_max + session::PatchLimits().header_bytes_max, limits.target_bytes_max,
          limits.fields_max};
}

}  // namespace

GatewayLoop::GatewayLoop(const Shared& shared, std::string session_url_base)
    : random_(shared.random),
      network_(loop_, shared.resolver),
      session_urls_(std::move(session_url_base), shared.random),
      on_{.loop = loop_,
          .clock = shared.clock,
          .random = shared.random,
          .sessions = shared.sessions,
          .holders = shared.holders,
          .session_urls = session_urls_,
          .config = std::make_shared<const gateway::LoopConfig>(),
          .pipeline = shared.pipeline,
          .counters = shared.counters,
          .date = {}},
      listener_(on_) {}

std::shared_ptr<upstream::ServiceOnLoop> GatewayLoop::on_this_loop(
    const std::shared_ptr<upstream::Service>& service, const gateway::LimitsOptions& limits) {
  for (const auto& present : on_.config->services) {
    if (&present->service() != service.get()) continue;
    present->set_head_limits(response_head_limits(limits));
    return present;
  }
  auto pair = std::make_shared<Pair>(service, loop_, network_, random_, response_head_limits(limits));
  return {pair, &pair->on_loop};
}

void GatewayLoop::configure(std::shared_ptr<const gateway::Snapshot> snapshot,
                            const std::vector<std::shared_ptr<upstream::Service>>& services) {
  gateway::LoopConfig next;
  for (const auto& service : services) next.services.push_back(on_this_loop(service, snapshot->limits));
  // Counted on this loop alone: exchanges of all loops would fight for one counter of owners.
  const gateway::Snapshot* shared = snapshot.get();
  next.snapshot = {std::make_shared<std::shared_ptr<const gateway::Snapshot>>(std::move(snapshot)), shared};
  on_.config = std::make_shared<const gateway::LoopConfig>(std::move(next));
}

void GatewayLoop::listen(const io::ListenSocket& socket, const std::shared_ptr<const io::TlsServer>& tls) {
  if (draining_) return;
  if (const auto present = acceptors_.find(&socket); present != acceptors_.end())
    return listener_.set_tls(*present->second, tls);
  auto acceptor = std::make_unique<io::SocketAcceptor>(loop_, socket);
  acceptors_.emplace(&socket, acceptor.get());
  listener_.listen(std::move(acceptor), tls);
}

void GatewayLoop::close(const io::ListenSocket& socket) {
  const auto acceptor = acceptors_.extract(&socket);
  if (!acceptor.empty()) listener_.close(*acceptor.mapped());
}

void GatewayLoop::drain(TimePoint deadline, std::function<void()> done) {
  draining_ = true;
  acceptors_.clear();
  tasks_.spawn(drain_then(deadline, std::move(done)));
}

io::Task<void> GatewayLoop::drain_then(TimePoint deadline, std::function<void()> done) {
  co_await listener_.drain(deadline);
  done();
}

}  // namespace stateway
