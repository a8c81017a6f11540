#include "config/sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "store/postgres/target.h"
#include "store/redis/url.h"

namespace stateway::config {
namespace {

using store::Kind, store::OnOutage, store::StoreOptions;

struct KeyOfKinds {
  std::string_view key;
  std::initializer_list<Kind> kinds;
  std::string_view for_what;
};
constexpr auto kRemote = {Kind::redis, Kind::postgres};
const KeyOfKinds kKeysOfKinds[] = {
    {"path", {Kind::embedded}, "kind = \"embedded\""},
    {"memory", {Kind::embedded}, "kind = \"embedded\""},
    {"url", kRemote, "kinds \"redis\" and \"postgres\""},
    {"timeout", kRemote, "kinds \"redis\" and \"postgres\""},
    {"connections", kRemote, "kinds \"redis\" and \"postgres\""},
    {"ca_file", kRemote, "kinds \"redis\" and \"postgres\""},
    {"replicas", {Kind::redis}, "kind = \"redis\""},
    {"on_outage", kRemote, "kinds \"redis\" and \"postgres\""},
};
constexpr std::string_view kJournalKeys[] = {"journal", "journal_max", "outage_memory", "on_conflict"};

std::string_view name_of(Kind kind) {
  const auto& choices = find_key("store", "kind")->choices;
  return std::ranges::find(choices, static_cast<int>(kind), &Choice::value)->text;
}

void read_path(const Section& section, std::string_view key, std::string& path) {
  const auto text = section.text(key);
  if (!text) return;
  path = text->value;
  if (path.empty() || path.find('\0') != std::string::npos)
    section.problem(key, fmt::format("{} must name a directory", key));
}

void read_url(const Section& section, StoreOptions& options) {
  if (options.kind != Kind::redis && options.kind != Kind::postgres) return;
  const auto url = section.text("url");
  if (!url) {
    if (!section.has("url"))
      section.problem("kind", fmt::format("kind = \"{}\" needs url", name_of(options.kind)));
    return;
  }
  options.url = Secret(url->value);
  const auto check = [&](const auto& parsed) {  // no sentence repeats what may be the password
    if (!parsed) section.problem("url", "url: " + parsed.error().context);
  };
  if (options.kind == Kind::redis)
    check(store::redis::parse_url(url->value));
  else
    check(store::postgres::parse_target(options));
}

void check_memory(const Section& section, StoreOptions& options) {
  if (options.kind != Kind::memory) return;
  if (section.has("durability") && options.durability != store::Durability::memory)
    section.problem("durability",
                    "kind = \"memory\" survives nothing: use durability = \"memory\" or leave it out");
  options.durability = store::Durability::memory;
}

// What [store] and [store.previous] have in common.
StoreOptions read_place(const Section& section) {
  StoreOptions options;
  section.read("kind", options.kind);
  section.read("durability", options.durability);
  section.read("memory", options.memory_bytes_max);
  section.read("timeout", options.timeout);
  section.read("connections", options.connections);
  read_path(section, "path", options.path);
  if (const auto file = section.text("ca_file")) options.ca_file = file->value;
  for (const KeyOfKinds& key : kKeysOfKinds)
    if (section.has(key.key) && std::ranges::find(key.kinds, options.kind) == key.kinds.end())
      section.problem(
          key.key, fmt::format("{} is for {}; kind is \"{}\"", key.key, key.for_what, name_of(options.kind)));
  read_url(section, options);
  check_memory(section, options);
  return options;
}

}  // namespace

StoreOptions read_store(const Section& section) {
  StoreOptions options = read_place(section);
  section.read("sessions_max", options.sessions_max);
  section.read("replicas", options.replicas);
  section.read("on_outage", options.on_outage);
  section.read("journal_max", options.journal_bytes_max);
  section.read("outage_memory", options.outage_bytes_max);
  section.read("on_conflict", options.on_conflict);
  read_path(section, "journal", options.journal_path);
  for (const std::string_view key : kJournalKeys)
    if (section.has(key) && options.on_outage != OnOutage::journal)
      section.problem(key, fmt::format("{} is for on_outage = \"journal\"", key));
  return options;
}

std::optional<StoreOptions> read_previous_store(const Section& store) {
  if (!store.has("previous")) return std::nullopt;
  return read_place(store.table("previous"));
}

}  // namespace stateway::config
