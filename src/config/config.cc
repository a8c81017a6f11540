#include "config/config.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>

#include <fmt/format.h>

#include "config/checks.h"
#include "config/keys.h"
#include "config/sections.h"
#include "config/settings.h"
#include "config/toml.h"

namespace stateway::config {
namespace {

constexpr std::size_t kFileBytesMax = 1024 * 1024;

std::unexpected<Error> unreadable(int error) {
  return fail(Code::io, Side::self, std::generic_category().message(error));
}

Result<std::string> read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (file == nullptr) return unreadable(errno);
  std::string content;
  char buffer[16 * 1024];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, file.get())) {
    content.append(buffer, n);
    if (content.size() > kFileBytesMax) return fail(Code::io, Side::self, "the file is over 1 MiB");
  }
  if (std::ferror(file.get()) != 0) return unreadable(errno);
  return content;
}

template <class Options>
void read_named(const Section& root, std::string_view key,
                Options (*read)(const std::string&, const Section&), std::vector<Options>& out,
                std::vector<Section>& sections) {
  for (auto& [name, section] : root.named(key)) {
    out.push_back(read(name, section));
    sections.push_back(std::move(section));
  }
}

template <class Options>
void read_each(std::vector<Section> found, Options (*read)(const Section&), std::vector<Options>& out,
               std::vector<Section>& sections) {
  for (const Section& section : found) out.push_back(read(section));
  sections = std::move(found);
}

// "store", "store.previous".
Section table_of(const Section& root, std::string_view section) {
  const std::size_t dot = section.find('.');
  const Section outer = root.table(section.substr(0, dot));
  return dot == std::string_view::npos ? outer : outer.table(section.substr(dot + 1));
}

Places places_of(const Section& root, const Origins& origins, std::string_view file) {
  Places places{.file = std::string(file)};
  for (const Section& listen : origins.listen) places.listen.push_back(listen.place("address"));
  for (const Key& key : keys())
    if (key.same != nullptr)
      places.keys.emplace(fmt::format("{}.{}", key.section, key.name),
                          table_of(root, key.section).place(key.name));
  return places;
}

// By what other sections say. Names may be wrong still.
void complete_services(Config& config) {
  for (upstream::ServiceOptions& service : config.services) {
    service.drain = config.gateway.drain_timeout;
    for (const route::RouteOptions& route : config.routes) {
      if (route.service != service.name || !route.session) continue;
      for (const session::SessionOptions& session : config.sessions)
        if (session.name == *route.session && session.placement == session::Placement::instance)
          service.bound_idle = std::max(service.bound_idle, session.idle);
    }
  }
}

}  // namespace

Sources system_sources() {
  Sources sources;
  sources.environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
  sources.file = read_file;
  return sources;
}

std::expected<Config, std::vector<Problem>> parse(std::string_view text, std::string_view file,
                                                  const Sources& sources) {
  Report report{std::string(file)};
  const auto document = read_toml(text);
  if (!document) {
    report.problem(document.error().place, document.error().message);
    return std::unexpected(report.problems());
  }

  const Section root("", "", &*document, report, sources);
  Origins origins{
      .gateway = root.table("gateway"), .admin = root.table("admin"), .store = root.table("store")};
  Config config;
  config.gateway = read_gateway(origins.gateway);
  config.log = read_log(root.table("log"));
  config.limits = read_limits(root.table("limits"));
  config.admin = read_admin(origins.admin);
  config.store = read_store(origins.store);
  config.previous_store = read_previous_store(origins.store);
  read_each(root.tables("listen"), read_listen, config.listen, origins.listen);
  read_named(root, "session", read_session, config.sessions, origins.sessions);
  read_named(root, "service", read_service, config.services, origins.services);
  read_each(root.tables("route"), read_route, config.routes, origins.routes);
  complete_services(config);
  check_together(config, origins, report);
  config.places = places_of(root, origins, file);

  if (!report.clean()) return std::unexpected(report.problems());
  config.settings = settings_of(root, origins);
  config.warnings = report.warnings();
  return config;
}

std::vector<Problem> needing_restart(const Config& in_force, const Config& next) {
  std::vector<Problem> problems;
  for (const Key& key : keys()) {
    if (key.same == nullptr || key.same(in_force, next)) continue;
    const std::string name = fmt::format("{}.{}", key.section, key.name);
    const Place place = next.places.keys.find(name)->second;
    problems.push_back({next.places.file, place.line, place.column, fmt::format("{} {}", name, key.refusal)});
  }
  return problems;
}

std::expected<Config, std::vector<Problem>> load(const std::string& path) {
  const Result<std::string> text = read_file(path);
  if (!text) return std::unexpected(std::vector{Problem{.file = path, .message = text.error().context}});
  return parse(*text, path, system_sources());
}

}  // namespace stateway::config
