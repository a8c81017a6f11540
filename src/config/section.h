// One table of the file, read key by key under the rules of keys.h. Whatever breaks a rule is reported at its
// place and leaves the default standing, so that one reading finds every problem.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/secret.h"
#include "config/config.h"
#include "config/keys.h"
#include "config/report.h"
#include "config/value.h"

namespace stateway::config {

/// A string of the file.
struct Text {
  std::string value;  // ${NAME} replaced
  std::string raw;    // as written: the form to quote in messages, since the environment may hold secrets
  Place place;
};

class Section {
 public:
  /// `id` names the rules in keys.h; `label` stands in messages ("[session.shop]"); `table` null reads as
  /// empty. Reports unknown keys and those of later releases. `report` and `sources` outlive the section,
  /// `table` too.
  Section(std::string_view id, std::string label, const Value* table, Report& report, const Sources& sources);

  const std::string& label() const { return label_; }
  const std::string& id() const { return id_; }
  /// The value as it stands in the file; nullptr when it does not.
  const Value* value(std::string_view name) const {
    const Member* member = find(name);
    return member == nullptr ? nullptr : &member->value;
  }
  Report& report() const { return *report_; }
  /// Whether the file has this key, readable or not.
  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// Where to point: at the value of `name`, else at the section's header, else at the file's beginning.
  Place place(std::string_view name) const;
  Place place() const { return table_ == nullptr ? Place{} : table_->place; }
  void problem(std::string_view name, std::string message) const {
    report_->problem(place(name), std::move(message));
  }

  // Each of these leaves `out` alone when the key is absent or refused.
  void read(std::string_view name, bool& out) const;
  void read(std::string_view name, double& out) const;
  void read(std::string_view name, std::chrono::milliseconds& out) const;
  /// Integers and sizes.
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  void read(std::string_view name, T& out) const {
    if (const std::optional<std::int64_t> n = ranged_integer(name)) out = static_cast<T>(*n);
  }
  template <class Enum>
    requires std::is_enum_v<Enum>
  void read(std::string_view name, Enum& out) const {
    if (const std::optional<int> value = chosen(name)) out = static_cast<Enum>(*value);
  }
  void read(std::string_view name, Address& out) const;

  /// nullopt when absent or refused; an absent required key is reported.
  std::optional<Text> text(std::string_view name) const;
  std::vector<Text> texts(std::string_view name) const;
  /// An address in `text`; a malformed one is reported.
  std::optional<Address> address(std::string_view name, const Text& text) const;
  /// The contents of the file that key `name` names, when there is one.
  std::optional<std::string> content(std::string_view name) const;
  /// A problem of that file.
  void file_problem(std::string_view name, std::string_view what) const;
  /// The token in the file that key `token_file` names, when there is one.
  std::optional<Secret> token() const;

  /// The sub-table, empty when absent.
  Section table(std::string_view name) const;
  /// [[name]], in order.
  std::vector<Section> tables(std::string_view name) const;
  /// [name.x] for every x, in the order of the file.
  std::vector<std::pair<std::string, Section>> named(std::string_view name) const;

 private:
  const Member* find(std::string_view name) const;
  /// The value of `name` if it has one of its type; anything else is reported.
  const Value* typed(std::string_view name, Value::Kind kind) const;
  void wrong_type(const Key& key, const Value& value) const;
  std::optional<Text> expand(const Value& value) const;
  std::optional<std::int64_t> ranged_integer(std::string_view name) const;
  bool in_range(const Key& key, const Value& value, double number) const;
  std::optional<int> chosen(std::string_view name) const;
  std::string child_id(std::string_view name) const;

  std::string id_;
  std::string label_;
  const Value* table_;
  Report* report_;
  const Sources* sources_;
};

/// `"a", "b" or "c"`.
std::string alternatives(const std::vector<std::string>& quoted);

}  // namespace stateway::config
