#include "config/section.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "config/scalar.h"

namespace stateway::config {
namespace {

std::string_view kind_name(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::boolean:
      return "a boolean";
    case Value::Kind::integer:
      return "an integer";
    case Value::Kind::number:
      return "a number";
    case Value::Kind::string:
      return "a string";
    case Value::Kind::date:
      return "a date";
    case Value::Kind::array:
      return "an array";
    case Value::Kind::table:
      return "a table";
  }
  return "something else";
}

std::vector<std::string> available_choices(const Key& key) {
  std::vector<std::string> quoted;
  for (const Choice& choice : key.choices)
    if (choice.value != kLater) quoted.push_back(fmt::format("\"{}\"", choice.text));
  return quoted;
}

std::string expectation(const Key& key) {
  switch (key.type) {
    case Type::boolean:
      return "true or false";
    case Type::integer:
      return "an integer";
    case Type::number:
      return "a number";
    case Type::string:
      return "a string";
    case Type::strings:
      return "an array of strings";
    case Type::duration:
      return R"(a duration such as "250ms", "30s", "5m" or "24h")";
    case Type::size:
      return R"(a size such as "512", "64KiB" or "1MiB")";
    case Type::choice:
      return alternatives(available_choices(key));
    case Type::table:
      return "a table";
    case Type::tables:
      return fmt::format("an array of tables: write [[{}]]", key.name);
    case Type::named:
      return fmt::format("tables with names: write [{}.NAME]", key.name);
  }
  return "something else";
}

/// The range in the key's own words.
std::string range_text(const Key& key) {
  const auto bound = [&](std::int64_t n) -> std::string {
    if (key.type == Type::duration) return fmt::format("\"{}\"", duration_text(n));
    if (key.type == Type::size) return fmt::format("\"{}\"", size_text(n));
    return fmt::format("{}", n);
  };
  return fmt::format("between {} and {}", bound(key.min), bound(key.max));
}

void unknown_key(std::string_view id, const std::string& label, const Member& member, Report& report) {
  std::vector<std::string_view> candidates;
  for (const Key& key : keys())
    if (key.section == id) candidates.push_back(key.name);
  std::string message = fmt::format("unknown key \"{}\"{}", member.name, label.empty() ? "" : " in " + label);
  if (const auto near = closest(member.name, candidates))
    message += fmt::format("; did you mean \"{}\"?", *near);
  report.problem(member.place, std::move(message));
}

}  // namespace

std::string alternatives(const std::vector<std::string>& quoted) {
  std::string out;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (i > 0) out += i + 1 == quoted.size() ? " or " : ", ";
    out += quoted[i];
  }
  return out;
}

Section::Section(std::string_view id, std::string label, const Value* table, Report& report,
                 const Sources& sources)
    : id_(id), label_(std::move(label)), table_(table), report_(&report), sources_(&sources) {
  if (table_ == nullptr) return;
  for (const Member& member : table_->members) {
    const Key* key = find_key(id_, member.name);
    if (key == nullptr)
      unknown_key(id_, label_, member, report);
    else if (key->release == Release::later)
      report.problem(member.place, fmt::format("{} is not in this release; remove it", key->name));
  }
}

const Member* Section::find(std::string_view name) const {
  if (table_ == nullptr) return nullptr;
  const auto found = std::ranges::find(table_->members, name, &Member::name);
  return found == table_->members.end() ? nullptr : &*found;
}

Place Section::place(std::string_view name) const {
  const Member* member = find(name);
  return member == nullptr ? place() : member->value.place;
}

void Section::wrong_type(const Key& key, const Value& value) const {
  report_->problem(value.place,
                   fmt::format("{} must be {}, not {}", key.name, expectation(key), kind_name(value.kind)));
}

const Value* Section::typed(std::string_view name, Value::Kind kind) const {
  const Key* key = find_key(id_, name);
  CHECK(key != nullptr && key->release != Release::later);
  const Member* member = find(name);
  if (member == nullptr) {
    if (key->fallback == kRequired && !id_.empty())
      report_->problem(place(), fmt::format("{} needs {}", label_, name));
    return nullptr;
  }
  if (member->value.kind == kind) return &member->value;
  wrong_type(*key, member->value);
  return nullptr;
}

std::optional<Text> Section::expand(const Value& value) const {
  auto expanded = expand_environment(value.text, sources_->environment);
  if (expanded) return Text{std::move(*expanded), value.text, value.place};
  report_->problem(value.place, std::move(expanded).error());
  return std::nullopt;
}

bool Section::in_range(const Key& key, const Value& value, double number) const {
  if (number >= static_cast<double>(key.min) && number <= static_cast<double>(key.max)) return true;
  report_->problem(value.place, fmt::format("{} must be {}", key.name, range_text(key)));
  return false;
}

void Section::read(std::string_view name, bool& out) const {
  if (const Value* value = typed(name, Value::Kind::boolean)) out = value->boolean;
}

void Section::read(std::string_view name, double& out) const {
  const Member* member = find(name);
  const bool whole = member != nullptr && member->value.kind == Value::Kind::integer;
  const Value* value = typed(name, whole ? Value::Kind::integer : Value::Kind::number);
  if (value == nullptr) return;
  const double number = whole ? static_cast<double>(value->integer) : value->number;
  if (in_range(*find_key(id_, name), *value, number)) out = number;
}

void Section::read(std::string_view name, std::chrono::milliseconds& out) const {
  const Value* value = typed(name, Value::Kind::string);
  const std::optional<Text> text = value == nullptr ? std::nullopt : expand(*value);
  if (!text) return;
  const Key& key = *find_key(id_, name);
  const auto duration = parse_duration(text->value);
  if (!duration)
    report_->problem(value->place,
                     fmt::format("{} must be {}, not \"{}\"", name, expectation(key), text->raw));
  else if (in_range(key, *value, static_cast<double>(duration->count())))
    out = *duration;
}

std::optional<std::int64_t> Section::ranged_integer(std::string_view name) const {
  const Key& key = *find_key(id_, name);
  const Value* value = typed(name, key.type == Type::size ? Value::Kind::string : Value::Kind::integer);
  if (value == nullptr) return std::nullopt;
  std::int64_t number = value->integer;
  if (key.type == Type::size) {
    const std::optional<Text> text = expand(*value);
    if (!text) return std::nullopt;
    const auto size = parse_size(text->value);
    if (!size) {
      report_->problem(value->place,
                       fmt::format("{} must be {}, not \"{}\"", name, expectation(key), text->raw));
      return std::nullopt;
    }
    number = static_cast<std::int64_t>(*size);
  }
  if (!in_range(key, *value, static_cast<double>(number))) return std::nullopt;
  return number;
}

std::optional<int> Section::chosen(std::string_view name) const {
  const Value* value = typed(name, Value::Kind::string);
  const std::optional<Text> text = value == nullptr ? std::nullopt : expand(*value);
  if (!text) return std::nullopt;
  const Key& key = *find_key(id_, name);
  const auto choice = std::ranges::find(key.choices, text->value, &Choice::text);
  const std::string available = alternatives(available_choices(key));
  if (choice == key.choices.end())
    report_->problem(value->place, fmt::format("{} must be {}, not \"{}\"", name, available, text->raw));
  else if (choice->value == kLater)
    report_->problem(value->place, fmt::format("{} = \"{}\" is not in this release; use {}", name,
                                               choice->text, available));
  else
    return choice->value;
  return std::nullopt;
}

std::optional<Text> Section::text(std::string_view name) const {
  const Value* value = typed(name, Value::Kind::string);
  return value == nullptr ? std::nullopt : expand(*value);
}

std::vector<Text> Section::texts(std::string_view name) const {
  std::vector<Text> out;
  const Value* value = typed(name, Value::Kind::array);
  if (value == nullptr) return out;
  for (const Value& item : value->items) {
    if (item.kind != Value::Kind::string)
      report_->problem(item.place,
                       fmt::format("{} must hold strings only, not {}", name, kind_name(item.kind)));
    else if (std::optional<Text> text = expand(item))
      out.push_back(std::move(*text));
  }
  return out;
}

std::optional<Address> Section::address(std::string_view name, const Text& text) const {
  Result<Address> address = parse_address(text.value);
  if (address) return std::move(*address);
  report_->problem(text.place, fmt::format("{} \"{}\": {}", name, text.raw, address.error().context));
  return std::nullopt;
}

void Section::read(std::string_view name, Address& out) const {
  const std::optional<Text> given = text(name);
  if (!given) return;
  if (std::optional<Address> parsed = address(name, *given)) out = std::move(*parsed);
}

void Section::file_problem(std::string_view name, std::string_view what) const {
  const Value* path = value(name);
  problem(name, fmt::format("{} \"{}\": {}", name, path == nullptr ? "" : path->text, what));
}

std::optional<std::string> Section::content(std::string_view name) const {
  const std::optional<Text> path = text(name);
  if (!path) return std::nullopt;
  if (path->value.empty()) {
    file_problem(name, "the path is empty");
    return std::nullopt;
  }
  Result<std::string> content = sources_->file(path->value);
  if (content) return std::move(*content);
  file_problem(name, content.error().context);
  return std::nullopt;
}

std::optional<Secret> Section::token() const {
  constexpr std::string_view kName = "token_file";
  std::optional<std::string> read = content(kName);
  if (!read) return std::nullopt;
  auto token = token_of(std::move(*read));
  if (token) return std::move(*token);
  file_problem(kName, token.error());
  return std::nullopt;
}

std::string Section::child_id(std::string_view name) const {
  return id_.empty() ? std::string(name) : fmt::format("{}.{}", id_, name);
}

Section Section::table(std::string_view name) const {
  const Value* value = typed(name, Value::Kind::table);
  std::string label = label_.empty() ? fmt::format("[{}]", name) : fmt::format("{} of {}", name, label_);
  return {child_id(name), std::move(label), value, *report_, *sources_};
}

std::vector<Section> Section::tables(std::string_view name) const {
  std::vector<Section> out;
  const Value* value = typed(name, Value::Kind::array);
  if (value == nullptr) return out;
  for (const Value& item : value->items) {
    if (item.kind == Value::Kind::table)
      out.emplace_back(child_id(name), fmt::format("[[{}]]", name), &item, *report_, *sources_);
    else
      wrong_type(*find_key(id_, name), item);
  }
  return out;
}

std::vector<std::pair<std::string, Section>> Section::named(std::string_view name) const {
  std::vector<std::pair<std::string, Section>> out;
  const Value* value = typed(name, Value::Kind::table);
  if (value == nullptr) return out;
  for (const Member& member : value->members) {
    if (member.value.kind == Value::Kind::table)
      out.emplace_back(member.name, Section(child_id(name), fmt::format("[{}.{}]", name, member.name),
                                            &member.value, *report_, *sources_));
    else
      wrong_type(*find_key(id_, name), member.value);
  }
  return out;
}

}  // namespace stateway::config
