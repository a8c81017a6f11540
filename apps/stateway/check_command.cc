#include "stateway/check_command.h"

#include <fmt/format.h>

#include "config/config.h"
#include "stateway/admin_client.h"
#include "stateway/answer.h"
#include "stateway/columns.h"
#include "stateway/effect.h"

namespace stateway {
namespace {

int say(std::FILE* err, const Error& error) {
  fmt::print(err, "stateway: {}\n", error.context);
  return error.code == Code::invalid_argument ? kExitBadUsage : kExitFailed;
}

std::vector<config::Setting> settings_in(const Answer& configuration) {
  std::vector<config::Setting> out;
  for (const Answer& setting : configuration.elements("settings"))
    out.push_back({std::string(setting.text("section")), std::string(setting.text("key")),
                   std::string(setting.text("value"))});
  return out;
}

std::vector<KindInForce> kinds_in(const Answer& status) {
  std::vector<KindInForce> out;
  for (const Answer& kind : status.elements("sessions")) {
    const auto live = kind.member("records").number("live");
    out.push_back({.name = std::string(kind.text("kind")),
                   .counted_at = std::string(live ? kind.text("counted_at") : ""),
                   .live = static_cast<std::uint64_t>(live.value_or(0))});
  }
  return out;
}

void print(const Effect& effect, const std::string& gateway, std::FILE* out) {
  if (effect.nothing()) {
    fmt::print(out, "a reload of the gateway at {} would change nothing\n", gateway);
    return;
  }
  if (effect.refused()) {
    fmt::print(out, "the gateway at {} would refuse a reload, because these need a restart:\n", gateway);
    for (const std::string& line : effect.restarts) fmt::print(out, "  {}\n", printable(line));
    if (!effect.changes.empty()) fmt::print(out, "without them a reload would change:\n");
  } else {
    fmt::print(out, "a reload of the gateway at {} would change:\n", gateway);
  }
  for (const std::string& line : effect.changes) fmt::print(out, "  {}\n", printable(line));
}

/// Asks the running gateway what it is set to; tells it nothing.
int say_effect(const Command& command, const config::Config& next, std::FILE* out, std::FILE* err) {
  auto api = find_admin_api(command.admin, &next);
  if (!api) return say(err, api.error());
  AdminClient client(std::move(*api));
  const auto configuration = client.call("GET", "/v1/configuration");
  if (!configuration) return say(err, configuration.error());
  const auto status = client.call("GET", "/v1/status");
  if (!status) return say(err, status.error());
  const Effect effect =
      effect_of(settings_in(Answer::parse(*configuration)), next.settings, kinds_in(Answer::parse(*status)));
  print(effect, client.name(), out);
  return effect.refused() ? kExitBadUsage : kExitDone;
}

}  // namespace

int run_check(const Command& command, std::FILE* out, std::FILE* err) {
  const auto config = config::load(command.config_path);
  if (!config) {
    for (const config::Problem& problem : config.error()) fmt::print(err, "{}\n", to_string(problem));
    return kExitBadUsage;
  }
  for (const std::string& warning : config->warnings) fmt::print(err, "{}\n", warning);
  fmt::print(out, "ok\n");
  return command.effect ? say_effect(command, *config, out, err) : kExitDone;
}

}  // namespace stateway
