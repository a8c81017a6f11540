#include "stateway/gateway_loop.h"

namespace stateway {
namespace {

std::vector<upstream::ServiceOnLoop*> pointers(
    const std::vector<std::unique_ptr<upstream::ServiceOnLoop>>& owned) {
  std::vector<upstream::ServiceOnLoop*> out;
  for (const auto& s : owned) out.push_back(s.get());
  return out;
}

std::vector<std::unique_ptr<upstream::ServiceOnLoop>> services_on(const Shared& shared, io::Loop& loop,
                                                                  io::Network& network) {
  const gateway::LimitsOptions& limits = shared.snapshot->limits;
  // A response's head may carry patches beside what any head may hold.
  const std::size_t head_bytes_max = limits.head_bytes_max + session::PatchLimits().header_bytes_max;
  std::vector<std::unique_ptr<upstream::ServiceOnLoop>> out;
  for (const auto& service : shared.services)
    out.push_back(std::make_unique<upstream::ServiceOnLoop>(
        *service, loop, network, shared.random,
        http::HeadLimits{head_bytes_max, limits.target_bytes_max, limits.fields_max}));
  return out;
}

}  // namespace

GatewayLoop::GatewayLoop(const Shared& shared, std::string session_url_base)
    : network_(loop_, shared.resolver),
      services_(services_on(shared, loop_, network_)),
      session_urls_(std::move(session_url_base), shared.random),
      on_{.loop = loop_,
          .clock = shared.clock,
          .random = shared.random,
          .sessions = shared.sessions,
          .session_urls = session_urls_,
          .services = pointers(services_),
          .config = shared.snapshot,
          .pipeline = shared.pipeline,
          .counters = shared.counters,
          .date = {}},
      listener_(on_) {}

void GatewayLoop::listen(const std::vector<io::ListenSocket>& sockets) {
  for (const io::ListenSocket& socket : sockets)
    listener_.listen(std::make_unique<io::SocketAcceptor>(loop_, socket));
}

void GatewayLoop::drain(TimePoint deadline, std::function<void()> done) {
  tasks_.spawn(drain_then(deadline, std::move(done)));
}

io::Task<void> GatewayLoop::drain_then(TimePoint deadline, std::function<void()> done) {
  co_await listener_.drain(deadline);
  done();
}

}  // namespace stateway
