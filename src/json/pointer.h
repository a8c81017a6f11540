// JSON Pointer, RFC 6901. Inside of this module.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "json/raw.h"

namespace stateway::json {

/// Empty, or starts with '/', and each '~' begins "~0" or "~1". RFC 6901 §3.
bool is_pointer(std::string_view s);

/// A token as it is written in a pointer, and back.
std::string escape_token(std::string_view name);
/// The name `token` stands for: itself, or what `scratch` then holds.
std::string_view unescape_token(std::string_view token, std::string& scratch);

/// Digits without leading zeros. RFC 6901 §4.
std::optional<std::size_t> array_index(std::string_view token);

/// `pointer` is not empty.
inline std::string_view parent_of(std::string_view pointer) { return pointer.substr(0, pointer.rfind('/')); }
inline std::string_view last_token(std::string_view pointer) {
  return pointer.substr(pointer.rfind('/') + 1);
}
/// Containers around the value it names.
inline int depth_of(std::string_view pointer) {
  return static_cast<int>(std::min<std::ptrdiff_t>(std::ranges::count(pointer, '/'), 1'000'000));
}
/// Is what `inner` names inside of what `outer` names? Every name has one spelling, so text decides.
inline bool is_inside(std::string_view inner, std::string_view outer) {
  return inner.size() > outer.size() && inner.starts_with(outer) && inner[outer.size()] == '/';
}

/// The member or element of `container` that `token` names, or null.
const bj::value* child(const bj::value& container, std::string_view token);

/// The value `pointer` names, or null when there is none; `-` names none in an array.
const bj::value* find(const bj::value& root, std::string_view pointer);
inline bj::value* find(bj::value& root, std::string_view pointer) {
  return const_cast<bj::value*>(find(static_cast<const bj::value&>(root), pointer));
}

/// The tokens of a pointer, as they are written, one after the other.
class Tokens {
 public:
  explicit Tokens(std::string_view pointer) : rest_(pointer) {}
  std::optional<std::string_view> next() {
    if (rest_.empty()) return std::nullopt;
    const std::size_t end = std::min(rest_.find('/', 1), rest_.size());
    const std::string_view token = rest_.substr(1, end - 1);
    rest_.remove_prefix(end);
    return token;
  }

 private:
  std::string_view rest_;
};

}  // namespace stateway::json
