#include "config/toml.h"

#include <toml++/toml.h>

#include <algorithm>

namespace stateway::config {
namespace {

Place place_of(const toml::source_region& region) { return {region.begin.line, region.begin.column}; }

Value convert(const toml::node& node) {
  Value value;
  value.place = place_of(node.source());
  switch (node.type()) {
    case toml::node_type::none:
      break;
    case toml::node_type::table:
      for (const auto& [key, member] : *node.as_table())
        value.members.push_back({std::string(key.str()), place_of(key.source()), convert(member)});
      // toml++ orders by name; problems, services and routes are wanted in the order they were written.
      std::ranges::stable_sort(value.members, {}, &Member::place);
      break;
    case toml::node_type::array:
      value.kind = Value::Kind::array;
      for (const toml::node& item : *node.as_array()) value.items.push_back(convert(item));
      break;
    case toml::node_type::string:
      value.kind = Value::Kind::string;
      value.text = node.as_string()->get();
      break;
    case toml::node_type::integer:
      value.kind = Value::Kind::integer;
      value.integer = node.as_integer()->get();
      break;
    case toml::node_type::floating_point:
      value.kind = Value::Kind::number;
      value.number = node.as_floating_point()->get();
      break;
    case toml::node_type::boolean:
      value.kind = Value::Kind::boolean;
      value.boolean = node.as_boolean()->get();
      break;
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      value.kind = Value::Kind::date;
      break;
  }
  return value;
}

/// toml++ says first what it was doing ("Error while parsing string: "); the rest is the sentence.
std::string sentence(std::string_view description) {
  constexpr std::string_view kPrefix = "Error while ";
  if (const std::size_t colon = description.find(": ");
      description.starts_with(kPrefix) && colon != std::string_view::npos)
    description.remove_prefix(colon + 2);
  return "not valid TOML: " + std::string(description);
}

}  // namespace

std::expected<Value, SyntaxError> read_toml(std::string_view text) {
  try {
    const toml::table table = toml::parse(text);
    return convert(table);
  } catch (const toml::parse_error& error) {
    return std::unexpected(SyntaxError{place_of(error.source()), sentence(error.description())});
  }
}

}  // namespace stateway::config
