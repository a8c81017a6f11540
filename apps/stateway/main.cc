#include <fmt/format.h>

#include "config/config.h"
#include "stateway/check_command.h"
#include "stateway/cli.h"
#include "stateway/key_command.h"
#include "stateway/session_command.h"
#include "stateway/store_command.h"
#include "stateway/store_contents.h"
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
  using What = stateway::Command::What;
  switch (command->what) {
    case What::run:
      return run(command->config_path);
    case What::check:
      return stateway::run_check(*command);
    case What::version:
      return stateway::print_version();
    case What::session_list:
      return stateway::list_sessions(*command);
    case What::session_show:
      return stateway::show_session(*command);
    case What::session_end:
      return stateway::end_sessions(*command);
    case What::key_list:
      return stateway::list_keys(*command);
    case What::key_rotate:
      return stateway::rotate_keys(*command);
    case What::store_migrate:
      return stateway::migrate_store(*command);
    case What::store_copy:
      return stateway::copy_store(*command);
    case What::store_backup:
      return stateway::back_up_store(*command);
    case What::store_restore:
      return stateway::restore_store(*command);
  }
}
