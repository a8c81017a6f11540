#include "stateway/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "config/config.h"

namespace stateway {
namespace {

CLI::App* add_command(CLI::App& app, Command& command, Command::What what, const char* name,
                      const char* help) {
  CLI::App* sub = app.add_subcommand(name, help);
  sub->callback([&command, what] { command.what = what; });
  return sub;
}

void add_config_option(CLI::App& sub, Command& command) {
  sub.add_option("-c,--config", command.config_path, "the configuration file")
      ->capture_default_str()
      ->type_name("FILE");
}

}  // namespace

std::expected<Command, int> parse_command_line(int argc, const char* const* argv, std::FILE* out,
                                               std::FILE* err) {
  Command command;
  CLI::App app("An HTTP gateway that keeps sessions, so that services need not.", "stateway");
  app.require_subcommand(1);
  app.footer("Exit codes: 0 done, 1 failed at run time, 2 bad usage or configuration.");
  CLI::App* run =
      add_command(app, command, Command::What::run, "run",
                  "Serve. SIGTERM or SIGINT: finish what is in flight, then exit. SIGHUP: reload");
  add_config_option(*run, command);
  CLI::App* check = add_command(app, command, Command::What::check, "check",
                                "Validate the configuration: 'ok', or every problem");
  add_config_option(*check, command);
  add_command(app, command, Command::What::version, "version", "Print the version");

  app.set_version_flag("--version", fmt::format("stateway {}", STATEWAY_VERSION));

  const auto named = [&](const CLI::App* sub) { return sub->get_name() == argv[1]; };
  if (argc > 1 && argv[1][0] != '-' && std::ranges::none_of(app.get_subcommands({}), named)) {
    fmt::print(err, "stateway: there is no command '{}'; see stateway --help\n", argv[1]);
    return std::unexpected(kExitBadUsage);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForVersion& version) {
    fmt::print(out, "{}\n", version.what());
    return std::unexpected(kExitDone);
  } catch (const CLI::Success&) {  // --help
    fmt::print(out, "{}", app.help());
    return std::unexpected(kExitDone);
  } catch (const CLI::ParseError& error) {
    const auto chosen = app.get_subcommands();
    fmt::print(err, "stateway: {}; see stateway {}--help\n", error.what(),
               chosen.empty() ? "" : chosen.front()->get_name() + " ");
    return std::unexpected(kExitBadUsage);
  }
  return command;
}

int run_check(const std::string& path, std::FILE* out, std::FILE* err) {
  const auto config = config::load(path);
  if (!config) {
    for (const config::Problem& problem : config.error()) fmt::print(err, "{}\n", to_string(problem));
    return kExitBadUsage;
  }
  for (const std::string& warning : config->warnings) fmt::print(err, "{}\n", warning);
  fmt::print(out, "ok\n");
  return kExitDone;
}

int print_version(std::FILE* out) {
  fmt::print(out, "stateway {}\n", STATEWAY_VERSION);
  return kExitDone;
}

}  // namespace stateway
