// The configuration file: TOML text in, immutable option structs out, or every problem with its place.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/value.h"
#include "gateway/options.h"
#include "route/options.h"
#include "session/options.h"
#include "store/options.h"
#include "upstream/options.h"

namespace stateway::config {

/// Where in the file that stands about which only a running gateway can complain.
struct Places {
  std::string file;                                // as it was named to `load`
  std::vector<Place> listen;                       // addresses, by index in Config::listen
  std::map<std::string, Place, std::less<>> keys;  // "store.path": those that only a restart changes
};

/// One key and what it is set to, for people and for comparing.
struct Setting {
  std::string section;   // "store", "session.shop", "service.shop.health", "route /api", "listen [::]:80"
  std::string key;       // as in the file
  std::string value;     // in one spelling, whatever the file's: "90s"; "none" for what is unset
  bool restart = false;  // only a restart changes it

  bool operator==(const Setting&) const = default;
};

struct Config {
  gateway::GatewayOptions gateway;
  gateway::LogOptions log;
  gateway::LimitsOptions limits;
  std::vector<gateway::ListenOptions> listen;  // at least one
  gateway::AdminOptions admin;
  store::StoreOptions store;
  std::optional<store::StoreOptions> previous_store;  // [store.previous]: where sessions come from
  std::vector<session::SessionOptions> sessions;      // these three in the order of the file
  std::vector<upstream::ServiceOptions> services;
  std::vector<route::RouteOptions> routes;  // their services and sessions exist
  std::vector<Setting> settings;            // all of the above as lines, in the order of the sections
  std::vector<std::string> warnings;        // "F:line:col: warning: message", by place
  Places places;
};

struct Problem {
  std::string file;
  std::uint32_t line = 0;    // from 1; 0 when the file could not be read at all
  std::uint32_t column = 0;  // from 1, in characters
  std::string message;

  bool operator==(const Problem&) const = default;
};

/// "F:line:col: message", or "F: message" without a line.
std::string to_string(const Problem& problem);

/// What a configuration may read besides its own text.
struct Sources {
  std::function<std::optional<std::string>(const std::string& name)> environment;  // for ${NAME}
  std::function<Result<std::string>(const std::string& path)> file;                // for token_file
};

/// The process's environment and file system.
Sources system_sources();

/// Reads and checks a whole configuration. `file` is only quoted in messages. Unknown keys, wrong types,
/// dangling names and impossible combinations are problems; all of them are returned, ordered by place (after
/// a TOML syntax error only that one). Values that came out of the environment never appear in a message.
/// Never throws; any thread.
std::expected<Config, std::vector<Problem>> parse(std::string_view text, std::string_view file,
                                                  const Sources& sources);

/// What `next` asks for that only a restart can change: a problem for each such key (keys.h). Pure.
std::vector<Problem> needing_restart(const Config& in_force, const Config& next);

/// `parse` over the file at `path` with system_sources(). Files over 1 MiB are refused.
std::expected<Config, std::vector<Problem>> load(const std::string& path);

}  // namespace stateway::config
