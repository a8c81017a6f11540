// Any text: either a configuration or problems, each with a message and a place inside the text.
#include "config/config.h"

#include <algorithm>
#include <cstdint>

#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stateway;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  config::Sources sources;
  sources.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name.starts_with('A')) return name;
    return std::nullopt;
  };
  sources.file = [](const std::string& path) -> Result<std::string> { return path; };

  const auto config = config::parse(text, "F", sources);
  if (config) {
    CHECK(!config->listen.empty() && !config->services.empty() && !config->routes.empty());
    for (const route::RouteOptions& route : config->routes) {
      CHECK(std::ranges::find(config->services, route.service, &upstream::ServiceOptions::name) !=
            config->services.end());
      CHECK(!route.session || std::ranges::find(config->sessions, *route.session,
                                                &session::SessionOptions::name) != config->sessions.end());
    }
    return 0;
  }
  CHECK(!config.error().empty());
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  for (const config::Problem& problem : config.error())
    CHECK(!problem.message.empty() && problem.line >= 1 && problem.line <= lines && problem.column >= 1);
  return 0;
}
