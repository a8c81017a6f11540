#include "config/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "config/scalar.h"

namespace stateway::config {
namespace {

void check_something_to_serve(const Config& config, Report& report) {
  if (config.listen.empty()) report.problem({}, "no [[listen]]: add one with address = \"127.0.0.1:8080\"");
  if (config.services.empty()) report.problem({}, "no [service.NAME]: there is nothing to forward to");
  if (config.routes.empty()) report.problem({}, "no [[route]]: nothing would be served");
}

void check_addresses(const Config& config, const Origins& origins, Report& report) {
  std::map<std::string, std::string> owners;
  const auto take = [&](const Address& address, const Section& section, std::string_view key,
                        std::string owner) {
    if (address.kind == Address::Kind::tcp && address.port == 0) return;  // any free port
    const auto [taken, fresh] = owners.emplace(to_string(address), std::move(owner));
    if (!fresh)
      report.problem(section.place(key), fmt::format("{} is the one of {} already", key, taken->second));
  };
  // What has a default goes first: the complaint should stand where somebody wrote something.
  take(config.admin.address, origins.admin, "address", "[admin]");
  take(config.gateway.session_address, origins.gateway, "session_address", "gateway.session_address");
  for (std::size_t i = 0; i < config.listen.size(); ++i)
    take(config.listen[i].address, origins.listen[i], "address",
         fmt::format("the [[listen]] at line {}", origins.listen[i].place().line));
}

void check_cookies(const Config& config, const Origins& origins, Report& report) {
  std::map<std::string_view, std::string_view> owners;
  for (std::size_t i = 0; i < config.sessions.size(); ++i) {
    const session::SessionOptions& session = config.sessions[i];
    const auto [owner, fresh] = owners.emplace(session.cookie, session.name);
    if (!fresh)
      report.problem(origins.sessions[i].place("cookie"),
                     fmt::format("{} uses the cookie of [session.{}]; give it another one by cookie = \"…\"",
                                 origins.sessions[i].label(), owner->second));
  }
}

template <class Options>
std::vector<std::string_view> names_of(const std::vector<Options>& list) {
  std::vector<std::string_view> names;
  for (const Options& options : list) names.push_back(options.name);
  return names;
}

/// Notes the name that `key` of a route leads to, or says that it leads nowhere.
void resolve(const Section& route, std::string_view key, const std::vector<std::string_view>& names,
             std::vector<std::string_view>& used) {
  const std::optional<Text> text = route.text(key);
  if (!text) return;
  if (const auto found = std::ranges::find(names, text->value); found != names.end()) {
    used.push_back(*found);
    return;
  }
  std::string message = fmt::format("there is no [{}.{}]", key, text->raw);
  if (const auto near = closest(text->value, names)) message += fmt::format("; did you mean \"{}\"?", *near);
  route.problem(key, std::move(message));
}

template <class Options>
void warn_unused(const std::vector<Options>& list, const std::vector<Section>& origins,
                 const std::vector<std::string_view>& used, Report& report) {
  for (std::size_t i = 0; i < list.size(); ++i)
    if (std::ranges::find(used, list[i].name) == used.end())
      report.warning(origins[i].place(), fmt::format("no route uses {}", origins[i].label()));
}

void check_names(const Config& config, const Origins& origins, Report& report) {
  const std::vector<std::string_view> services = names_of(config.services);
  const std::vector<std::string_view> sessions = names_of(config.sessions);
  std::vector<std::string_view> used_services, used_sessions;
  for (const Section& route : origins.routes) {
    resolve(route, "service", services, used_services);
    resolve(route, "session", sessions, used_sessions);
  }
  warn_unused(config.services, origins.services, used_services, report);
  warn_unused(config.sessions, origins.sessions, used_sessions, report);
}

bool methods_meet(const route::RouteOptions& a, const route::RouteOptions& b) {
  // A route that names its methods goes before one that takes all: such a pair is no ambiguity.
  if (a.methods.empty() || b.methods.empty()) return a.methods.empty() && b.methods.empty();
  return std::ranges::find_first_of(a.methods, b.methods) != a.methods.end();
}

void check_duplicate_routes(const Config& config, const Origins& origins, Report& report) {
  std::vector<std::size_t> earlier;
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    const route::RouteOptions& route = config.routes[i];
    const Section& section = origins.routes[i];
    if (!section.has("path") || section.has("host") != route.host.has_value()) continue;  // reported already
    const auto same = std::ranges::find_if(earlier, [&](std::size_t j) {
      const route::RouteOptions& other = config.routes[j];
      return route.path == other.path && route.host == other.host && methods_meet(route, other);
    });
    if (same != earlier.end())
      report.problem(section.place("path"),
                     fmt::format("the route at line {} has this path already, with the same host "
                                 "and method",
                                 origins.routes[*same].place().line));
    earlier.push_back(i);
  }
}

const session::SessionOptions* session_of(const Config& config, const route::RouteOptions& route) {
  const auto found = route.session
                         ? std::ranges::find(config.sessions, *route.session, &session::SessionOptions::name)
                         : config.sessions.end();
  return found == config.sessions.end() ? nullptr : &*found;
}

/// What sessions in an instance's memory cannot have.
void check_instance_sessions(const Config& config, const Origins& origins, Report& report) {
  std::map<std::string_view, std::string_view> services;  // by session
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    const route::RouteOptions& route = config.routes[i];
    const session::SessionOptions* session = session_of(config, route);
    if (session == nullptr || session->has_document()) continue;
    const auto [known, fresh] = services.emplace(session->name, route.service);
    if (!fresh && known->second != route.service)
      report.problem(origins.routes[i].place("session"),
                     fmt::format("[session.{}] lives in the memory of one instance of [service.{}]; give the "
                                 "routes of [service.{}] another session",
                                 session->name, known->second, route.service));
    if (route.replay == route::Replay::reexecute)
      report.warning(origins.routes[i].place("replay"),
                     fmt::format("replay has no effect with placement = \"instance\" of [session.{}]: what a "
                                 "request does is in an instance's memory, and never done twice",
                                 session->name));
  }
}

/// What of a session outside of the store is forgotten at a restart, or cannot come back after one. Warnings,
/// not problems: it may be what somebody wants while trying things out.
void warn_of_restarts(const Config& config, const Origins& origins, Report& report) {
  for (std::size_t i = 0; i < config.sessions.size(); ++i) {
    const session::SessionOptions& session = config.sessions[i];
    const bool in_store = session.has_document() && session.placement != session::Placement::client;
    if (config.store.kind == store::Kind::memory && !in_store)
      report.warning(
          origins.store.place("kind"),
          fmt::format("kind = \"memory\" forgets log-ins and ends of [session.{}] when the gateway "
                      "stops, and cookies from before them open it again: use \"embedded\"",
                      session.name));
    if (session.has_document() || session.on_lost_instance != session::OnLostInstance::fail) continue;
    for (const route::RouteOptions& route : config.routes) {
      const auto service = std::ranges::find(config.services, route.service, &upstream::ServiceOptions::name);
      if (route.session != session.name || service == config.services.end() || service->command.empty())
        continue;
      report.warning(origins.sessions[i].place("on_lost_instance"),
                     fmt::format("processes of [service.{}] never come back with the sessions they had, so "
                                 "\"fail\" answers 503 until a cookie is idle: use \"renew\"",
                                 service->name));
    }
  }
}

bool is_remote(const upstream::ServiceOptions& service) {
  return std::ranges::any_of(service.instances, [](const Address& address) { return !is_local(address); });
}

/// Instances on other machines must find their way to the session URL, and should know whom they serve.
void check_remote_instances(const Config& config, const Origins& origins, Report& report) {
  for (std::size_t i = 0; i < config.services.size(); ++i) {
    const upstream::ServiceOptions& service = config.services[i];
    if (!is_remote(service)) continue;
    const Section& section = origins.services[i];
    const bool has_session = std::ranges::any_of(config.routes, [&](const route::RouteOptions& r) {
      const session::SessionOptions* session = session_of(config, r);
      return session != nullptr && session->has_document() && r.service == service.name;
    });
    if (has_session && is_local(config.gateway.session_address))
      report.problem(
          section.place("instances"),
          fmt::format("{} has instances on other machines: set gateway.session_address to an address of this "
                      "machine that they can reach",
                      section.label()));
    if (!section.has("token_file"))
      report.warning(
          section.place("instances"),
          fmt::format("{} has instances on other machines and no token_file: whoever reaches them can "
                      "pretend to be the gateway",
                      section.label()));
  }
}

/// balance = "hash" needs something to hash.
void check_keys(const Config& config, const Origins& origins, Report& report) {
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    const route::RouteOptions& route = config.routes[i];
    const auto service = std::ranges::find(config.services, route.service, &upstream::ServiceOptions::name);
    if (service == config.services.end() || service->balance != upstream::Balance::hash) continue;
    const Section& section = origins.routes[i];
    if (!section.has("affinity") && !section.has("session"))
      report.problem(
          section.place("service"),
          fmt::format("[service.{}] has balance = \"hash\", and this route no key to hash: give it "
                      "affinity = \"client_ip\" or another, or a session",
                      route.service));
  }
}

}  // namespace

void check_stores(const Config& config, const Origins& origins) {
  if (config.previous_store && store::same_place(config.store, *config.previous_store))
    origins.store.problem("previous", "store.previous is the same store as [store]: sessions cannot move");
}

void check_together(const Config& config, const Origins& origins, Report& report) {
  check_something_to_serve(config, report);
  check_addresses(config, origins, report);
  check_cookies(config, origins, report);
  check_names(config, origins, report);
  check_duplicate_routes(config, origins, report);
  check_instance_sessions(config, origins, report);
  warn_of_restarts(config, origins, report);
  check_remote_instances(config, origins, report);
  check_keys(config, origins, report);
  check_stores(config, origins);
}

}  // namespace stateway::config
