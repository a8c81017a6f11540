#include "stateway/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

namespace stateway {
namespace {

using What = Command::What;

CLI::App* add_command(CLI::App& app, Command& command, What what, const char* name, const char* help) {
  CLI::App* sub = app.add_subcommand(name, help);
  sub->callback([&command, what] { command.what = what; });
  return sub;
}

void add_config_option(CLI::App& sub, Command& command) {
  sub.add_option("-c,--config", command.config_path, "the configuration file")
      ->capture_default_str()
      ->type_name("FILE");
}

/// For commands that talk to a running gateway.
void add_admin_options(CLI::App& sub, Command& command) {
  add_config_option(sub, command);
  sub.add_option("--admin", command.admin.address,
                 "the admin address of the gateway; [admin] of the configuration says it otherwise")
      ->type_name("ADDRESS");
  sub.add_option("--token-file", command.admin.token_file, "the file with the token that it asks for")
      ->type_name("FILE");
}

void add_json_flag(CLI::App& sub, Command& command) {
  sub.add_flag("--json", command.json, "JSON, for programs");
}

void add_ids(CLI::App& sub, Command& command, std::size_t most) {
  const auto is_id = [](const std::string& text) -> std::string {
    return is_session_id(text) ? "" : fmt::format("{} is no session's id: those have 16 characters", text);
  };
  auto* option = sub.add_option("ID", command.ids, "the session's public id, as the list shows it")
                     ->required()
                     ->check(is_id)
                     ->type_name("");
  option->expected(1, static_cast<int>(most));
}

void add_session_commands(CLI::App& app, Command& command) {
  CLI::App* session = app.add_subcommand("session", "Sessions of a running gateway");
  session->require_subcommand(1);
  CLI::App* list = add_command(*session, command, What::session_list, "list",
                               "Those that the store knows, and how many are still to move");
  add_admin_options(*list, command);
  list->add_option("--principal", command.principal, "only those of this user")->type_name("P");
  list->add_option("--kind", command.kind, "only those of [session.K]")->type_name("K");
  list->add_option("--limit", command.limit, "at most so many")
      ->check(CLI::Range(1, 1'000'000'000))
      ->type_name("N");
  add_json_flag(*list, command);
  CLI::App* show = add_command(*session, command, What::session_show, "show", "One, with its document");
  add_admin_options(*show, command);
  add_json_flag(*show, command);
  add_ids(*show, command, 1);
  CLI::App* end = add_command(*session, command, What::session_end, "end",
                              "End sessions: their cookies open nothing from then on");
  add_admin_options(*end, command);
  add_ids(*end, command, 10'000);
}

void add_key_commands(CLI::App& app, Command& command) {
  CLI::App* key = app.add_subcommand(
      "key", "The keys that seal cookies: by the running gateway, or in the file where none runs");
  key->require_subcommand(1);
  CLI::App* list =
      add_command(*key, command, What::key_list, "list", "What each key does; never the keys themselves");
  add_admin_options(*list, command);
  add_json_flag(*list, command);
  CLI::App* rotate = add_command(*key, command, What::key_rotate, "rotate",
                                 "Add a key, which seals a minute later, and drop those that open nothing");
  add_admin_options(*rotate, command);
  add_json_flag(*rotate, command);
}

void add_store_commands(CLI::App& app, Command& command) {
  CLI::App* store = app.add_subcommand("store", "The store of sessions that [store] names");
  store->require_subcommand(1);
  CLI::App* migrate = add_command(*store, command, What::store_migrate, "migrate",
                                  "PostgreSQL: make the schema, or bring an older one up to date");
  add_config_option(*migrate, command);
  CLI::App* copy = add_command(
      *store, command, What::store_copy, "copy",
      "Move what [store.previous] has left, by the running gateway if there is one; can be repeated");
  add_admin_options(*copy, command);
  CLI::Option* from = copy->add_option("--from", command.from,
                                       "out of this store, beside gateways that run: a URL or a directory")
                          ->type_name("STORE");
  CLI::Option* to = copy->add_option("--to", command.to, "into this one")->type_name("STORE");
  from->needs(to);
  to->needs(from);
  CLI::App* backup = add_command(*store, command, What::store_backup, "backup",
                                 "Write all sessions of one moment to a file, while the gateway serves");
  add_admin_options(*backup, command);
  backup->add_option("FILE", command.file, "the file to make, or a directory for one named after the time")
      ->required()
      ->type_name("");
  CLI::App* restore = add_command(*store, command, What::store_restore, "restore",
                                  "Make an empty embedded store what a backup holds; no gateway may run");
  add_config_option(*restore, command);
  restore->add_option("FILE", command.file, "the backup")->required()->type_name("");
}

/// The arguments, with the ids behind a `--`: those that begin with a dash are no options.
std::vector<std::string> with_ids_last(int argc, const char* const* argv) {
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  const bool takes_ids =
      arguments.size() > 2 && arguments[0] == "session" && (arguments[1] == "show" || arguments[1] == "end");
  if (!takes_ids || std::ranges::find(arguments, "--") != arguments.end()) return arguments;
  constexpr std::string_view kWithValue[] = {"-c", "--config", "--admin", "--token-file"};
  std::vector<std::string> out, ids;
  bool is_value = false;
  for (std::string& argument : arguments) {
    const bool is_id = !is_value && is_session_id(argument);
    is_value = !is_value && std::ranges::find(kWithValue, argument) != std::end(kWithValue);
    (is_id ? ids : out).push_back(std::move(argument));
  }
  if (!ids.empty()) out.emplace_back("--");
  std::ranges::move(ids, std::back_inserter(out));
  return out;
}

/// The command that was meant, as far as it was understood: "session list ".
std::string chosen(const CLI::App& app) {
  std::string names;
  for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    names += at->get_name() + " ";
  }
  return names;
}

/// The first word that should name a command and does not; empty when there is none.
std::string unknown_command(const CLI::App& app, const std::vector<std::string>& arguments) {
  const CLI::App* at = &app;
  for (const std::string& word : arguments) {
    const auto below = at->get_subcommands([](const CLI::App*) { return true; });
    if (below.empty() || word.starts_with('-')) return {};
    const auto found = std::ranges::find(below, word, [](const CLI::App* sub) { return sub->get_name(); });
    if (found == below.end()) return word;
    at = *found;
  }
  return {};
}

}  // namespace

bool is_session_id(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return text.size() == 16 && std::ranges::all_of(text, allowed);
}

std::expected<Command, int> parse_command_line(int argc, const char* const* argv, std::FILE* out,
                                               std::FILE* err) {
  Command command;
  CLI::App app("An HTTP gateway that keeps sessions, so that services need not.", "stateway");
  app.require_subcommand(1);
  app.footer("Exit codes: 0 done, 1 failed at run time, 2 bad usage or configuration.");
  CLI::App* run =
      add_command(app, command, What::run, "run",
                  "Serve. SIGTERM or SIGINT: finish what is in flight, then exit. SIGHUP: reload");
  add_config_option(*run, command);
  CLI::App* check =
      add_command(app, command, What::check, "check", "Validate the configuration: 'ok', or every problem");
  add_admin_options(*check, command);
  check->add_flag("--effect", command.effect,
                  "also say what a reload of the running gateway would change; changes nothing");
  add_session_commands(app, command);
  add_key_commands(app, command);
  add_store_commands(app, command);
  add_command(app, command, What::version, "version", "Print the version");
  app.set_version_flag("--version", fmt::format("stateway {}", STATEWAY_VERSION));

  std::vector<std::string> arguments = with_ids_last(argc, argv);
  if (const std::string word = unknown_command(app, arguments); !word.empty()) {
    fmt::print(err, "stateway: there is no command '{}'; see stateway --help\n", word);
    return std::unexpected(kExitBadUsage);
  }
  try {
    std::ranges::reverse(arguments);  // as CLI11 takes them
    app.parse(std::move(arguments));
  } catch (const CLI::CallForVersion& version) {
    fmt::print(out, "{}\n", version.what());
    return std::unexpected(kExitDone);
  } catch (const CLI::Success&) {  // --help
    fmt::print(out, "{}", app.help());
    return std::unexpected(kExitDone);
  } catch (const CLI::ParseError& error) {
    fmt::print(err, "stateway: {}; see stateway {}--help\n", error.what(), chosen(app));
    return std::unexpected(kExitBadUsage);
  }
  return command;
}

int print_version(std::FILE* out) {
  fmt::print(out, "stateway {}\n", STATEWAY_VERSION);
  return kExitDone;
}

}  // namespace stateway
