#include "stateway/key_command.h"

#include <fmt/format.h>

#include "admin/keys.h"
#include "session/key_file.h"
#include "stateway/admin_client.h"
#include "stateway/answer.h"
#include "stateway/columns.h"

namespace stateway {
namespace {

/// What the admin API says, or would say if a gateway ran.
struct Told {
  std::string body;
  std::string source;  // "the gateway at …", "the file …"
};

Result<std::string> in_file(const config::Config& config, bool rotate) {
  if (config.sessions.empty())
    return fail(Code::not_found, Side::client,
                config.places.file + " has no [session.NAME], so there is nothing to seal");
  const std::string& path = config.gateway.key_file;
  const SystemClock clock;
  const auto lifetime = session::longest_absolute(config.sessions);
  const auto explained = [](Error error) {
    if (error.code == Code::not_found)
      error.context += "; a gateway makes it at its first start, and this command must run in its directory";
    error.code = Code::io;
    return std::unexpected(std::move(error));
  };
  admin::JsonWriter json;
  if (rotate) {
    SystemRandom random;
    const auto rotation = session::rotate_key_file(path, clock.now(), lifetime, random);
    if (!rotation) return explained(rotation.error());
    admin::add_rotation(json, *rotation, clock.now(), lifetime);
  } else {
    const auto keys = session::read_key_file(path);
    if (!keys) return explained(keys.error());
    admin::add_keys(json, *keys, clock.now(), lifetime);
  }
  return std::move(json).finish();
}

Result<std::string> by_gateway(AdminClient& client, bool rotate) {
  return rotate ? client.call("POST", "/v1/keys/rotate") : client.call("GET", "/v1/keys");
}

/// By the gateway if one runs; a command that names one by --admin wants no other.
std::expected<Told, int> ask(const Command& command, bool rotate, std::FILE* err) {
  std::optional<config::Config> config;
  const auto say = [err](const Error& error) {
    fmt::print(err, "stateway: {}\n", error.context);
    return std::unexpected(error.code == Code::invalid_argument ? kExitBadUsage : kExitFailed);
  };
  if (!command.admin.address) {
    auto loaded = config::load(command.config_path);
    if (!loaded) {
      for (const config::Problem& problem : loaded.error()) fmt::print(err, "{}\n", to_string(problem));
      return std::unexpected(kExitBadUsage);
    }
    config = std::move(*loaded);
  }
  auto api = find_admin_api(command.admin, config ? &*config : nullptr);
  if (!api) return say(api.error());
  AdminClient client(std::move(*api));
  auto told = by_gateway(client, rotate);
  if (told) return Told{std::move(*told), "the gateway at " + client.name()};
  if (told.error().code != Code::connect_failed || !config) return say(told.error());
  auto read = in_file(*config, rotate);
  if (read) return Told{std::move(*read), "the file " + config->gateway.key_file + "; no gateway runs"};
  return say(read.error());
}

std::string does(const Answer& key) {
  const std::string what(key.text("does"));
  const std::string_view until = key.text("until");
  if (what == "retired") return "retired since " + to_the_second(key.text("since"));
  if (until.empty()) return printable(what);
  return fmt::format("{} until {}", printable(what), to_the_second(until));
}

}  // namespace

int list_keys(const Command& command, std::FILE* out, std::FILE* err) {
  const auto told = ask(command, false, err);
  if (!told) return told.error();
  if (command.json) {
    fmt::print(out, "{}", told->body);
    return kExitDone;
  }
  std::vector<Row> rows;
  for (const Answer& key : Answer::parse(told->body).elements("keys"))
    rows.push_back({printable(key.text("id")), to_the_second(key.text("created")), does(key)});
  if (!rows.empty()) Columns(out, {"ID", "CREATED", "DOES"}).print(rows);
  fmt::print(out, "{} {}, by {}\n", rows.size(), rows.size() == 1 ? "key" : "keys", told->source);
  return kExitDone;
}

int rotate_keys(const Command& command, std::FILE* out, std::FILE* err) {
  const auto told = ask(command, true, err);
  if (!told) return told.error();
  if (command.json) {
    fmt::print(out, "{}", told->body);
    return kExitDone;
  }
  const Answer answer = Answer::parse(told->body);
  const std::string added(answer.text("added"));
  for (const Answer& key : answer.elements("keys"))
    if (key.text("id") == added)
      fmt::print(out, "added {}, which seals from {} on, by {}\n", printable(added),
                 to_the_second(key.text("until")), told->source);
  for (const std::string& id : answer.texts("dropped"))
    fmt::print(out, "dropped {}, which opened nothing any more\n", printable(id));
  return kExitDone;
}

}  // namespace stateway
