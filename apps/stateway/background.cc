#include "stateway/background.h"

#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "stateway/snapshot.h"

namespace stateway {
namespace {

constexpr std::size_t kSweepAtOnce = 1000;
constexpr Duration kSweepEvery = 1s;
constexpr Duration kSweepSharedEvery = 10s;  // each gateway asks all of the index
constexpr Duration kKeysEvery = 1s;          // so soon one gateway knows what another one rotated
static_assert(2 * kKeysEvery <= session::KeySet::kPublished);

std::vector<gateway::SessionUrlHandler::Target> targets(std::vector<std::unique_ptr<GatewayLoop>>& loops) {
  std::vector<gateway::SessionUrlHandler::Target> out;
  for (const auto& loop : loops) out.push_back({&loop->loop(), &loop->session_urls()});
  return out;
}

// Connections at once, so that these servers leave the descriptors alone that the store needs
// (descriptors.h). Instances keep theirs open between documents; the longest idle ones make room.
constexpr std::size_t kSessionUrlConnections = 256;
constexpr std::size_t kAdminConnections = 64;

wire::ServerOptions session_url_options(const config::Config& config) {
  wire::ServerOptions options;
  options.body_bytes_max = std::max(options.body_bytes_max, document_bytes_max(config));
  options.connections_max = kSessionUrlConnections;
  return options;
}

wire::ServerOptions admin_options() {
  wire::ServerOptions options;
  options.connections_max = kAdminConnections;
  return options;
}

}  // namespace

Background::Background(Parts parts)
    : parts_(std::move(parts)),
      home_(parts_.loops.front()->loop()),
      session_urls_(home_, targets(parts_.loops)),
      session_url_server_(home_, session_urls_, session_url_options(*parts_.held.config)),
      session_url_acceptor_(home_, parts_.session_socket),
      reloader_({.held = parts_.held,
                 .services = parts_.services,
                 .loops = parts_.loops,
                 .stores = parts_.stores,
                 .keys = parts_.keys,
                 .session_urls = session_url_server_,
                 .clock = parts_.clock,
                 .draining = parts_.draining}),
      census_(home_, parts_.clock, parts_.stores.store(), parts_.held.shown),
      admin_(parts_.admin_socket.address(), admin_sources()),
      admin_server_(home_, admin_, admin_options()),
      admin_acceptor_(home_, parts_.admin_socket) {
  tasks_.spawn(session_url_server_.accept_from(session_url_acceptor_));
  tasks_.spawn(admin_server_.accept_from(admin_acceptor_));
  tasks_.spawn(sweep());
  tasks_.spawn(census_.run());
  tasks_.spawn(follow_key_file());
}

Background::~Background() { tasks_.cancel_all(); }

admin::Sources Background::admin_sources() {
  return {.loop = home_,
          .clock = parts_.clock,
          .store = parts_.stores.store(),
          .in_force = parts_.held.shown,
          .keys = parts_.keys,
          .sessions = parts_.sessions,
          .holders = parts_.holders,
          .census = census_,
          .counters = parts_.counters,
          .draining = parts_.draining,
          .restart = [this](std::string_view s, std::string_view i) { return parts_.services.restart(s, i); },
          .apply = [this](std::string_view s) { parts_.services.apply(s); },
          .reload = [this] { return reloader_.reload(); },
          .move_rest = [this] { return parts_.stores.move_rest(); },
          .copying = [this] { return parts_.stores.copying(); },
          .version = STATEWAY_VERSION,
          .pid = getpid(),
          .started = home_.now()};
}

io::Task<void> Background::follow_key_file() {
  for (;;) {
    co_await io::sleep_for(home_, kKeysEvery);
    if (parts_.keys.in_use()) (void)co_await parts_.keys.refresh(home_);  // a failure is logged there
  }
}

io::Task<void> Background::sweep() {
  for (;;) {
    co_await io::sleep_for(home_,
                           parts_.stores.store().leases() != nullptr ? kSweepSharedEvery : kSweepEvery);
    for (;;) {
      const auto swept = co_await parts_.stores.store().sweep(home_, kSweepAtOnce);
      if (!swept) log::warn("the sweep of expired sessions failed", {{"error", swept.error().context}});
      if (!swept || *swept < kSweepAtOnce) break;
    }
  }
}

}  // namespace stateway
