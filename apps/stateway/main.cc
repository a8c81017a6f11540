#include <fmt/format.h>

#include "config/config.h"
#include "stateway/cli.h"
#include "stateway/wiring.h"

namespace {

int run(const std::string& path) {
  auto configuration = stateway::config::load(path);
  if (configuration) return stateway::run_gateway(path, std::move(*configuration));
  for (const auto& problem : configuration.error()) fmt::print(stderr, "{}\n", to_string(problem));
  return stateway::kExitBadUsage;
}

}  // namespace

int main(int argc, char** argv) {
  const auto command = stateway::parse_command_line(argc, argv);
  if (!command) return command.error();
  switch (command->what) {
    case stateway::Command::What::run:
      return run(command->config_path);
    case stateway::Command::What::check:
      return stateway::run_check(command->config_path);
    case stateway::Command::What::version:
      return stateway::print_version();
  }
}
