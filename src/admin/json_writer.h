// Writes one JSON text, compact, in the order it is told.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/clock.h"

namespace stateway::admin {

/// "2026-11-21T09:27:55.419Z".
std::string time_text(WallMillis at);

/// begin_… and end_… must pair (CHECKed by finish), and inside of objects every value needs its name. Names
/// are our own; texts may hold anything (http::append_json_string).
class JsonWriter {
 public:
  JsonWriter() { begin_object(); }

  void begin_object() { open('{'); }
  void begin_object(std::string_view name) { key(name), open('{'); }
  void end_object() { close('}'); }
  void begin_array(std::string_view name) { key(name), open('['); }
  void end_array() { close(']'); }

  /// A text, a truth value, an integer, or a number with two decimals.
  template <class T>
  void member(std::string_view name, const T& value) {
    key(name);
    if constexpr (std::convertible_to<const T&, std::string_view>) {
      text(value);
    } else if constexpr (std::same_as<T, bool>) {
      plain(value ? "true" : "false");
    } else if constexpr (std::integral<T>) {
      plain(std::to_string(value));
    } else {
      static_assert(std::floating_point<T>);
      decimal(value);
    }
  }
  /// The text, or null when there is none.
  void member_or_null(std::string_view name, std::string_view value) {
    key(name);
    if (value.empty()) return plain("null");
    text(value);
  }
  /// UTC with milliseconds (RFC 3339); null for 0.
  void member_time(std::string_view name, WallMillis at);
  /// `json` is a JSON text already.
  void member_json(std::string_view name, std::string_view json) { key(name), plain(json); }
  void element(std::string_view value) { text(value); }
  void texts(std::string_view name, const std::vector<std::string>& values) {
    begin_array(name);
    for (const std::string& value : values) element(value);
    end_array();
  }

  /// Ends the object begun by the constructor, and the line.
  std::string finish() &&;

 private:
  void open(char c);
  void close(char c);
  void key(std::string_view name);
  void text(std::string_view value);
  void plain(std::string_view value);
  void decimal(double value);
  void separate();

  std::string out_;
  int depth_ = 0;
  bool first_ = true;  // nothing stands before the next value that needs a comma
};

}  // namespace stateway::admin
