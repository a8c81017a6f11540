#include "stateway/check_command.h"

#include <fmt/format.h>

#include "config/config.h"

namespace stateway {

int run_check(const Command& command, std::FILE* out, std::FILE* err) {
  const auto config = config::load(command.config_path);
  if (!config) {
    for (const config::Problem& problem : config.error()) fmt::print(err, "{}\n", to_string(problem));
    return kExitBadUsage;
  }
  for (const std::string& warning : config->warnings) fmt::print(err, "{}\n", warning);
  fmt::print(out, "ok\n");
  return kExitDone;
}

}  // namespace stateway
