#include "gateway.h"

#include <fmt/format.h>

#include "keys.h"
#include "stateway/reload.h"
#include "stateway/snapshot.h"

namespace stateway::sim {
namespace {

std::vector<std::unique_ptr<upstream::Service>> make_services(const config::Config& configuration,
                                                              const WallClock& clock) {
  std::vector<std::unique_ptr<upstream::Service>> out;
  for (const upstream::ServiceOptions& options : configuration.services)
    out.push_back(std::make_unique<upstream::Service>(options, clock));
  return out;
}

// As apps/stateway/gateway_loop.cc: a response's head may carry patches beside what any head may hold.
http::HeadLimits response_head_limits(const gateway::LimitsOptions& limits) {
  return {limits.head_bytes_max + session::PatchLimits().header_bytes_max, limits.target_bytes_max,
          limits.fields_max};
}

std::shared_ptr<const gateway::LoopConfig> loop_config(
    const config::Config& configuration, const Ground& ground,
    const std::vector<std::unique_ptr<upstream::Service>>& services) {
  auto out = std::make_shared<gateway::LoopConfig>();
  out->snapshot = make_snapshot(configuration);
  for (const auto& service : services)
    out->services.push_back(std::make_shared<upstream::ServiceOnLoop>(
        *service, ground.loop, ground.host, ground.random, response_head_limits(configuration.limits)));
  return out;
}

wire::ServerOptions session_url_options(const config::Config& configuration, const WallClock& clock) {
  wire::ServerOptions options;
  options.clock = &clock;
  for (const session::SessionOptions& s : configuration.sessions)
    options.body_bytes_max = std::max(options.body_bytes_max, s.document_bytes_max);
  return options;
}

}  // namespace

config::Config configuration(std::string_view toml) {
  const std::string text =
      "[log]\naccess = false\n[admin]\naddress = \"127.0.0.1:1\"\n[store]\nkind = \"memory\"\n" +
      std::string(toml);
  auto parsed = config::parse(text, "sim.toml", config::system_sources());
  if (!parsed)
    for (const config::Problem& p : parsed.error()) fmt::print(stderr, "{}\n", config::to_string(p));
  CHECK(parsed.has_value());
  return std::move(*parsed);
}

Gateway::Gateway(Ground ground, const config::Config& configuration)
    : config_(configuration),
      loop_(ground.loop),
      keys_(ground.clock, ground.random),
      sessions_(ground.store, keys_, ground.clock, ground.random),
      holders_(config_.gateway.hybrid_bytes_max),
      session_urls_(fmt::format("http://{}/0/", to_string(config_.gateway.session_address)), ground.random),
      services_(make_services(config_, ground.clock)),
      on_{.loop = loop_,
          .clock = ground.clock,
          .random = ground.random,
          .sessions = sessions_,
          .holders = holders_,
          .session_urls = session_urls_,
          .config = loop_config(config_, ground, services_),
          .pipeline = pipeline_,
          .counters = counters_,
          .date = {}},
      session_url_handler_(loop_, {{&loop_, &session_urls_}}),
      session_url_server_(loop_, session_url_handler_, session_url_options(config_, ground.clock)),
      session_url_acceptor_(ground.host.listen(config_.gateway.session_address)),
      listener_(on_) {
  CHECK(keys_.use(key_file()));
  for (const auto& service : services_)
    monitors_.push_back(std::make_unique<upstream::Monitor>(*service, loop_, ground.host));
  tasks_.spawn(session_url_server_.accept_from(*session_url_acceptor_));
  for (const gateway::ListenOptions& listen : config_.listen) {
    auto tls = make_tls(listen);
    CHECK(tls);
    listener_.listen(ground.host.listen(listen.address), std::move(*tls));
  }
}

Gateway::~Gateway() = default;

io::Task<void> Gateway::drain() { return listener_.drain(loop_.now() + config_.gateway.drain_timeout); }

void Gateway::reload(const config::Config& configuration) {
  auto next = std::make_shared<gateway::LoopConfig>(*on_.config);
  next->snapshot = make_snapshot(configuration);
  on_.config = std::move(next);
}

std::size_t Gateway::idle_connections() const {
  std::size_t out = 0;
  for (const auto& service : on_.config->services)
    for (const auto& instance : service->service().roster()->instances)
      out += service->idle_connections(*instance);
  return out;
}

std::string Gateway::leftovers() const {
  std::string out;
  const auto say = [&out](std::string_view what, std::uint64_t count) {
    if (count > 0) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, what);
  };
  say("connections", counters_.connections.load());
  say("exchanges", counters_.exchanges.load());
  say("lanes", sessions_.lanes_busy());
  for (const auto& service : services_) {
    const upstream::ServiceSnapshot s = service->snapshot();
    say("waiting for " + s.name, s.waiting);
    say("retrying at " + s.name, s.retrying);
    for (const auto& instance : s.instances) say("in flight at " + instance.name, instance.active);
  }
  return out;
}

}  // namespace stateway::sim
