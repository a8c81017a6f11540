// Every key of the configuration, in one table: type, default, range, and whether this release has it.
// docs/configuration.md says what each means; a test holds the two together.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace stateway::config {

struct Config;

enum class Type : std::uint8_t {
  boolean,
  integer,
  number,
  string,
  strings,   // array of strings
  duration,  // string; range in milliseconds
  size,      // string; range in bytes
  choice,    // string; one of `choices`
  table,     // [name] or { … }
  tables,    // [[name]]
  named,     // [name.x] for any number of x
};

enum class Release : std::uint8_t {
  now,
  later,  // a key of the contract that this release does not have: refused
};

/// `value` of a choice that this release does not have: refused.
inline constexpr int kLater = -1;

struct Choice {
  std::string_view text;
  int value;  // of the enumerator
};

inline constexpr std::string_view kAtStart =
    "takes effect at a start only: restart the gateway, or set it back";

struct Key {
  std::string_view section;  // "" is the top level; "service.health" the table `health` of a service
  std::string_view name;
  Type type = Type::string;
  std::string_view fallback{};  // the default as it is written in TOML; kRequired; or kUnset
  std::int64_t min = 0;         // both inclusive: integer, number, duration (ms), size (bytes)
  std::int64_t max = 0;
  std::span<const Choice> choices{};
  Release release = Release::now;
  /// For what a reload cannot always change: whether it can go from the first to the second. nullptr: always.
  bool (*same)(const Config&, const Config&) = nullptr;
  std::string_view refusal = kAtStart;  // what is said of it then
};

inline constexpr std::string_view kRequired = "required";
inline constexpr std::string_view kUnset = "none";

/// All keys, section by section. Static.
std::span<const Key> keys();
/// The key, or nullptr.
const Key* find_key(std::string_view section, std::string_view name);

}  // namespace stateway::config
