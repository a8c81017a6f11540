#include "stateway/reload_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "stateway/stores.h"

namespace stateway {
namespace {

using Fate = ReloadPlan::Fate;

std::string_view change_of(const std::optional<gateway::TlsOptions>& in_force,
                           const std::optional<gateway::TlsOptions>& next) {
  if (in_force.has_value() != next.has_value()) return next ? "speaks TLS" : "speaks TLS no more";
  return in_force == next ? "" : "has a new certificate";
}

// Each address in force serves one of the next at most: several may ask for any free port.
void plan_listeners(const config::Config& in_force, const config::Config& next, ReloadPlan& plan) {
  std::vector<bool> taken(in_force.listen.size());
  for (const gateway::ListenOptions& listen : next.listen) {
    std::optional<std::size_t> same;
    for (std::size_t i = 0; i < taken.size() && !same; ++i)
      if (!taken[i] && in_force.listen[i].address == listen.address) same = i;
    if (same) {
      taken[*same] = true;
      if (const std::string_view said = change_of(in_force.listen[*same].tls, listen.tls); !said.empty())
        plan.changes.push_back(fmt::format("listen {} {}", to_string(listen.address), said));
    } else {
      plan.changes.push_back(fmt::format("listen {} added", to_string(listen.address)));
    }
    plan.listen.push_back(same);
  }
  for (std::size_t i = 0; i < taken.size(); ++i)
    if (!taken[i])
      plan.changes.push_back(fmt::format("listen {} removed", to_string(in_force.listen[i].address)));
}

template <class Options>
const Options* named(const std::vector<Options>& all, const std::string& name) {
  const auto found = std::ranges::find(all, name, &Options::name);
  return found == all.end() ? nullptr : &*found;
}

// What the file says of it: `drain` is said once, by the gateway, and `bound_idle` by sessions.
upstream::ServiceOptions as_written(upstream::ServiceOptions service) {
  service.drain = {};
  service.bound_idle = {};
  return service;
}
const session::SessionOptions& as_written(const session::SessionOptions& session) { return session; }

template <class Options>
void say_named(std::string_view what, const std::vector<Options>& in_force, const std::vector<Options>& next,
               std::vector<std::string>& changes) {
  for (const Options& options : next) {
    const Options* present = named(in_force, options.name);
    if (present == nullptr)
      changes.push_back(fmt::format("{} {} added", what, options.name));
    else if (as_written(*present) != as_written(options))
      changes.push_back(fmt::format("{} {} changed", what, options.name));
  }
  for (const Options& options : in_force)
    if (named(next, options.name) == nullptr)
      changes.push_back(fmt::format("{} {} removed", what, options.name));
}

// What a reload cannot change has been refused.
void say_store(const config::Config& in_force, const config::Config& next,
               std::vector<std::string>& changes) {
  const auto same = [](const auto& a, const auto& b) {
    return a.has_value() == b.has_value() && (!a || store::same_place(*a, *b));
  };
  if (!store::same_place(in_force.store, next.store)) {
    const bool moves = next.previous_store && store::same_place(*next.previous_store, in_force.store);
    changes.push_back(fmt::format("store {} in place of {}{}", name_of(next.store), name_of(in_force.store),
                                  moves ? "; sessions move as they are used" : "; its sessions are lost"));
  } else if (!same(in_force.previous_store, next.previous_store)) {
    if (in_force.previous_store)
      changes.push_back(fmt::format("store.previous {} removed", name_of(*in_force.previous_store)));
    if (next.previous_store)
      changes.push_back(fmt::format("store.previous {} added", name_of(*next.previous_store)));
  }
  if (in_force.store.sessions_max != next.store.sessions_max)
    changes.emplace_back("store.sessions_max changed");
}

Fate fate_of(const upstream::ServiceOptions* present, const upstream::ServiceOptions& next) {
  if (present == nullptr || present->command.empty() != next.command.empty()) return Fate::started;
  return *present == next ? Fate::kept : Fate::changed;
}

}  // namespace

ReloadPlan plan_reload(const config::Config& in_force, const config::Config& next) {
  ReloadPlan plan;
  const auto say = [&plan](bool same, std::string_view what) {
    if (!same) plan.changes.push_back(fmt::format("{} changed", what));
  };
  say(in_force.gateway == next.gateway, "gateway");
  say(in_force.log == next.log, "log");
  say(in_force.limits == next.limits, "limits");
  plan_listeners(in_force, next, plan);
  say(in_force.admin == next.admin, "admin token");
  say_store(in_force, next, plan.changes);
  say_named("session", in_force.sessions, next.sessions, plan.changes);
  say_named("service", in_force.services, next.services, plan.changes);
  say(in_force.routes == next.routes, "routes");
  for (const upstream::ServiceOptions& service : next.services)
    plan.services.push_back(fate_of(named(in_force.services, service.name), service));
  return plan;
}

}  // namespace stateway
