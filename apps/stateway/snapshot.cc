#include "stateway/snapshot.h"

#include <algorithm>

#include "base/check.h"
#include "base/log.h"
#include "stateway/descriptors.h"

namespace stateway {
namespace {

template <class Options>
std::size_t index_of(const std::vector<Options>& all, const std::string& name) {
  const auto found = std::ranges::find(all, name, &Options::name);
  CHECK(found != all.end());
  return static_cast<std::size_t>(found - all.begin());
}

gateway::RouteUse use_of(const route::RouteOptions& route, const config::Config& configuration) {
  gateway::RouteUse use;
  use.service = index_of(configuration.services, route.service);
  if (!route.session) return use;
  use.session = index_of(configuration.sessions, *route.session);
  const session::SessionOptions& kind = configuration.sessions[*use.session];
  // What a request did in an instance's memory must not be done twice.
  use.reexecute = route.replay == route::Replay::reexecute && kind.has_document();
  use.overlap = kind.overlap.value_or(use.reexecute ? session::Overlap::again : session::Overlap::last);
  return use;
}

}  // namespace

std::shared_ptr<gateway::Snapshot> make_snapshot(const config::Config& configuration) {
  std::vector<gateway::RouteUse> uses;
  for (const route::RouteOptions& route : configuration.routes) uses.push_back(use_of(route, configuration));
  std::vector<std::string> cookie_names;
  for (const session::SessionOptions& s : configuration.sessions) {
    cookie_names.push_back(s.cookie);
    cookie_names.push_back("__Host-" + s.cookie);
  }
  return std::make_shared<gateway::Snapshot>(gateway::Snapshot{
      configuration.gateway, configuration.log, configuration.limits, configuration.sessions,
      configuration.services, route::Table(configuration.routes), std::move(uses), std::move(cookie_names)});
}

// Clients must not be able to use up the descriptors that the store needs for its files: a failed write
// poisons it.
std::shared_ptr<const gateway::Snapshot> make_fitted_snapshot(const config::Config& configuration) {
  auto snapshot = make_snapshot(configuration);
  unsigned& connections = snapshot->limits.connections_max;
  const unsigned affordable = connections_for(raise_descriptor_limit());
  if (affordable < connections) {
    log::warn("limits.connections is lowered: the system allows too few descriptors (ulimit -n, LimitNOFILE)",
              {{"wanted", connections}, {"connections", affordable}});
    connections = affordable;
  }
  return snapshot;
}

namespace {

// Sessions stay where a placement before had them until they come, or are over.
void note_outside(admin::InForce& shown, WallMillis now) {
  std::erase_if(shown.outside, [now](const auto& entry) {
    return entry.second.in_cookies_until <= now && entry.second.at_instances_until <= now;
  });
  if (shown.snapshot == nullptr) return;
  for (const session::SessionOptions& kind : shown.snapshot->sessions) {
    const WallMillis until = now + kind.absolute.count();
    const auto extend = [until](WallMillis& last) { last = std::max(last, until); };
    if (kind.placement == session::Placement::client) extend(shown.outside[kind.name].in_cookies_until);
    if (kind.placement == session::Placement::instance) extend(shown.outside[kind.name].at_instances_until);
  }
}

std::vector<admin::Setting> settings_of(const config::Config& configuration) {
  std::vector<admin::Setting> out;
  for (const config::Setting& setting : configuration.settings)
    out.push_back({setting.section, setting.key, setting.value});
  return out;
}

}  // namespace

void show(admin::InForce& shown, const config::Config& configuration,
          std::shared_ptr<const gateway::Snapshot> snapshot,
          std::vector<std::shared_ptr<upstream::Service>> services, WallMillis now) {
  note_outside(shown, now);
  shown = {.snapshot = std::move(snapshot),
           .services = std::move(services),
           .settings = settings_of(configuration),
           .store = configuration.store,
           .token = configuration.admin.token,
           .generation = shown.generation + 1,
           .since = now,
           .outside = std::move(shown.outside)};
}

std::size_t document_bytes_max(const config::Config& configuration) {
  std::size_t most = 0;
  for (const session::SessionOptions& s : configuration.sessions) most = std::max(most, s.document_bytes_max);
  return most;
}

}  // namespace stateway
