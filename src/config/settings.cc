#include "config/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/bytes.h"
#include "config/scalar.h"

namespace stateway::config {
namespace {

// Programs are given passwords in their arguments, and addresses may hold some.
bool may_hold_secrets(const Key& key) { return key.name == "command" || key.name == "url"; }

std::string digest(std::string_view text) {
  const std::string hash = sha256(text);
  std::string out = "sha256 ";
  for (const char c : hash.substr(0, 8)) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

// The one spelling of what stands between the quotes. What names the environment stays as it is written.
std::string spelled(const Key& key, std::string_view text) {
  if (key.type == Type::duration) {
    if (const auto duration = parse_duration(text)) return duration_text(duration->count());
  } else if (key.type == Type::size) {
    if (const auto size = parse_size(text)) return size_text(static_cast<std::int64_t>(*size));
  }
  return std::string(text);
}

std::string quoted(std::string_view text) { return fmt::format("\"{}\"", text); }

std::string text_of(const Key& key, const Value& value) {
  switch (value.kind) {
    case Value::Kind::boolean:
      return value.boolean ? "true" : "false";
    case Value::Kind::integer:
      return fmt::format("{}", value.integer);
    case Value::Kind::number:
      return fmt::format("{}", value.number);
    case Value::Kind::string:
      return spelled(key, value.text);
    case Value::Kind::array: {
      std::vector<std::string> items;
      for (const Value& item : value.items) items.push_back(quoted(item.text));
      return fmt::format("[{}]", fmt::join(items, ", "));
    }
    case Value::Kind::table:
      return "set";
    case Value::Kind::date:
      break;
  }
  return {};
}

std::string fallback_of(const Key& key) {
  std::string_view text = key.fallback;
  if (text == kRequired) return std::string(kUnset);
  if (text.starts_with('"')) text = text.substr(1, text.size() - 2);
  return spelled(key, text);
}

bool has_a_value(const Key& key) {
  return key.release == Release::now && key.type != Type::table && key.type != Type::tables &&
         key.type != Type::named;
}

void add(std::vector<Setting>& out, const Section& section, std::string name) {
  for (const Key& key : keys()) {
    if (key.section != section.id() || !has_a_value(key)) continue;
    const Value* value = section.value(key.name);
    std::string text = value == nullptr ? fallback_of(key) : text_of(key, *value);
    if (value != nullptr && may_hold_secrets(key)) text = digest(text);
    out.push_back({name, std::string(key.name), std::move(text), key.same != nullptr});
  }
}

std::string set_to(const Section& section, std::string_view name) {
  const Value* value = section.value(name);
  return value == nullptr ? "" : text_of(*find_key(section.id(), name), *value);
}

/// Two routes with the same name would be ambiguous, which is a problem of the file.
std::string name_of_route(const Section& route) {
  std::string name = "route " + set_to(route, "path");
  for (const std::string_view narrower : {"host", "methods"})
    if (const std::string text = set_to(route, narrower); !text.empty())
      name += fmt::format(" ({} {})", narrower, text);
  return name;
}

void add_sessions(std::vector<Setting>& out, const Section& root) {
  for (const auto& [name, session] : root.named("session")) {
    const std::size_t first = out.size();
    add(out, session, "session." + name);
    for (std::size_t i = first; i < out.size(); ++i)
      if (out[i].key == "cookie" && out[i].value == kUnset) out[i].value = name;
  }
}

void add_services(std::vector<Setting>& out, const Section& root) {
  for (const auto& [name, service] : root.named("service")) {
    const std::string label = "service." + name;
    add(out, service, label);
    for (const Key& key : keys()) {
      if (key.section != service.id() || key.type != Type::table) continue;
      // Without its table an instance is not checked; of the others the defaults hold.
      if (key.name == "health" && !service.has(key.name)) continue;
      add(out, service.table(key.name), fmt::format("{}.{}", label, key.name));
    }
  }
}

}  // namespace

std::vector<Setting> settings_of(const Section& root, const Origins& origins) {
  std::vector<Setting> out;
  for (const std::string_view name : {"gateway", "log", "limits", "admin", "store"})
    add(out, root.table(name), std::string(name));
  if (root.table("store").has("previous")) add(out, root.table("store").table("previous"), "store.previous");
  std::map<std::string, int> listens;
  for (const Section& listen : origins.listen) {
    std::string name = "listen " + set_to(listen, "address");
    if (const int before = listens[name]++; before > 0) name += fmt::format(" ({})", before + 1);
    add(out, listen, name);
    if (listen.has("tls")) add(out, listen.table("tls"), name + " tls");
  }
  add_sessions(out, root);
  add_services(out, root);
  for (const Section& route : origins.routes) add(out, route, name_of_route(route));
  return out;
}

}  // namespace stateway::config
