// What changed in a document, as the gateway takes it: a JSON merge patch (RFC 7396), or a JSON Patch (RFC
// 6902) where a null must be stored, which a merge patch cannot say.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stateway::adapter {

namespace json = boost::json;

struct Patch {
  std::string text;       // one line of ASCII
  bool is_steps = false;  // JSON Patch: an array; otherwise a merge patch: an object
  std::string_view content_type() const {
    return is_steps ? "application/json-patch+json" : "application/merge-patch+json";
  }
};

/// JSON text in ASCII, as headers need it: other characters become \u escapes, and octets that are no UTF-8
/// U+FFFD.
std::string ascii(std::string_view json_text);

/// What makes `after` of `before`, naming only what differs; nothing when they are equal. Arrays are replaced
/// as a whole.
std::optional<Patch> difference(const json::object& before, const json::object& after);

/// `theirs` with the changes that made `mine` of `base`. Where both changed the same value, mine stands.
json::object combined(const json::object& base, const json::object& mine, const json::object& theirs);

namespace detail {

inline bool continues(unsigned char octet) { return (octet & 0xc0) == 0x80; }

// One code point off the front of `text`; U+FFFD for an octet that begins none.
inline std::uint32_t take_code_point(std::string_view& text) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = octet(0);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
  bool good = length != 0 && length <= text.size();
  std::uint32_t point = length < 2 ? lead : lead & (0x7fU >> length);
  for (std::size_t i = 1; good && i < length; ++i) {
    good = continues(octet(i));
    point = point << 6 | (octet(i) & 0x3fU);
  }
  constexpr std::uint32_t kShortest[] = {0, 0, 0x80, 0x800, 0x10000};
  good = good && point >= kShortest[length] && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
  text.remove_prefix(good ? length : 1);
  return good ? point : 0xfffd;
}

inline void append_escape(std::string& out, std::uint32_t unit) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out.append("\\u");
  for (int shift = 12; shift >= 0; shift -= 4) out.push_back(kDigits[unit >> shift & 0xf]);
}

inline bool holds_null(const json::value& value) {
  if (const json::object* members = value.if_object()) {
    for (const auto& [name, member] : *members)
      if (holds_null(member)) return true;
  }
  return value.is_null();
}

// False when it would have to store a null. Those inside of arrays are fine: arrays go as they are.
inline bool merge_patch(const json::object& before, const json::object& after, json::object& out) {
  for (const auto& [name, value] : before)
    if (!after.contains(name)) out[name] = nullptr;
  for (const auto& [name, value] : after) {
    const json::value* old = before.if_contains(name);
    if (old != nullptr && *old == value) continue;
    if (old != nullptr && old->is_object() && value.is_object()) {
      json::object inner;
      if (!merge_patch(old->get_object(), value.get_object(), inner)) return false;
      out[name] = std::move(inner);
    } else {
      if (holds_null(value)) return false;
      out[name] = value;
    }
  }
  return true;
}

inline std::string step_path(const std::string& parent, std::string_view name) {
  std::string out = parent + "/";
  for (const char c : name) {  // RFC 6901
    if (c == '~')
      out.append("~0");
    else if (c == '/')
      out.append("~1");
    else
      out.push_back(c);
  }
  return out;
}

inline void add_steps(const json::object& before, const json::object& after, const std::string& parent,
                      json::array& out) {
  for (const auto& [name, value] : before)
    if (!after.contains(name)) out.push_back({{"op", "remove"}, {"path", step_path(parent, name)}});
  for (const auto& [name, value] : after) {
    const json::value* old = before.if_contains(name);
    if (old != nullptr && *old == value) continue;
    if (old != nullptr && old->is_object() && value.is_object())
      add_steps(old->get_object(), value.get_object(), step_path(parent, name), out);
    else
      out.push_back({{"op", "add"}, {"path", step_path(parent, name)}, {"value", value}});
  }
}

}  // namespace detail

inline std::string ascii(std::string_view json_text) {
  std::string out;
  out.reserve(json_text.size());
  while (!json_text.empty()) {
    const std::uint32_t point = detail::take_code_point(json_text);
    if (point < 0x7f) {
      out.push_back(static_cast<char>(point));
    } else if (point <= 0xffff) {
      detail::append_escape(out, point);
    } else {
      detail::append_escape(out, 0xd7c0 + (point >> 10));
      detail::append_escape(out, 0xdc00 + (point & 0x3ff));
    }
  }
  return out;
}

inline std::optional<Patch> difference(const json::object& before, const json::object& after) {
  json::object merge;
  if (detail::merge_patch(before, after, merge)) {
    if (merge.empty()) return std::nullopt;
    return Patch{ascii(json::serialize(merge)), false};
  }
  constexpr std::size_t kStepsMax = 1000;  // the gateway takes no more
  json::array steps;
  detail::add_steps(before, after, "", steps);
  if (steps.size() > kStepsMax) steps = {json::object{{"op", "replace"}, {"path", ""}, {"value", after}}};
  return Patch{ascii(json::serialize(steps)), true};
}

inline json::object combined(const json::object& base, const json::object& mine, const json::object& theirs) {
  json::object out = theirs;
  for (const auto& [name, value] : base)
    if (!mine.contains(name)) out.erase(name);
  for (const auto& [name, value] : mine) {
    const json::value* old = base.if_contains(name);
    if (old != nullptr && *old == value) continue;
    const json::value* other = out.if_contains(name);
    if (old != nullptr && other != nullptr && old->is_object() && value.is_object() && other->is_object())
      out[name] = combined(old->get_object(), value.get_object(), other->get_object());
    else
      out[name] = value;
  }
  return out;
}

}  // namespace stateway::adapter
