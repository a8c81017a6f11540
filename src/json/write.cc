#include "json/write.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <utility>

#include "json/number.h"

namespace stateway::json {
namespace {

// What a byte of a string becomes: 0 itself, 'u' a \u escape, 'x' a part of a longer character, else the
// letter of a short escape. DEL is escaped because field values must not hold it.
constexpr std::array<char, 256> make_escapes() {
  std::array<char, 256> table{};
  for (std::size_t i = 0; i < 0x20; ++i) table[i] = 'u';
  table[0x7f] = 'u';
  for (std::size_t i = 0x80; i < 0x100; ++i) table[i] = 'x';
  table['"'] = '"';
  table['\\'] = '\\';
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  return table;
}
constexpr auto kEscapes = make_escapes();

constexpr std::uint8_t octet(char c) { return static_cast<std::uint8_t>(c); }
constexpr char escape_of(char c) { return kEscapes[octet(c)]; }

/// The character at `i`, past which `i` moves. The parser let valid UTF-8 in only.
std::uint32_t next_character(std::string_view s, std::size_t& i) {
  const std::uint8_t lead = octet(s[i++]);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  std::uint32_t c = lead & (0x3fu >> more);
  for (int k = 0; k < more && i < s.size(); ++k) c = (c << 6) | (octet(s[i++]) & 0x3fu);
  return c;
}

void append_unit(std::string& out, std::uint32_t unit) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const char text[] = {'\\',           'u', kHex[unit >> 12], kHex[(unit >> 8) & 15], kHex[(unit >> 4) & 15],
                       kHex[unit & 15]};
  out.append(text, sizeof text);
}

void append_string(std::string& out, std::string_view s) {
  out.push_back('"');
  std::size_t i = 0;
  while (i < s.size()) {
    const std::size_t begin = i;
    while (i < s.size() && escape_of(s[i]) == 0) ++i;
    out.append(s, begin, i - begin);
    if (i == s.size()) break;
    const char escape = escape_of(s[i]);
    if (escape == 'u' || escape == 'x') {
      const std::uint32_t c = next_character(s, i);
      if (c < 0x10000) {
        append_unit(out, c);
      } else {
        append_unit(out, 0xd800 + ((c - 0x10000) >> 10));
        append_unit(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
      }
    } else {
      const char text[] = {'\\', escape};
      out.append(text, sizeof text);
      ++i;
    }
  }
  out.push_back('"');
}

template <class Integer>
void append_integer(std::string& out, Integer n) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, n).ptr);
}

void append(std::string& out, const bj::value& value) {
  switch (value.kind()) {
    case bj::kind::null:
      out += "null";
      return;
    case bj::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      return;
    case bj::kind::int64:
      append_integer(out, value.get_int64());
      return;
    case bj::kind::uint64:
      append_integer(out, value.get_uint64());
      return;
    case bj::kind::double_:
      append_double(out, value.get_double());
      return;
    case bj::kind::string:
      append_string(out, view(value.get_string()));
      return;
    case bj::kind::array: {
      out.push_back('[');
      bool first = true;
      for (const bj::value& element : value.get_array()) {
        if (!std::exchange(first, false)) out.push_back(',');
        append(out, element);
      }
      out.push_back(']');
      return;
    }
    case bj::kind::object: {
      out.push_back('{');
      bool first = true;
      for (const auto& member : value.get_object()) {
        if (!std::exchange(first, false)) out.push_back(',');
        append_string(out, view(member.key()));
        out.push_back(':');
        append(out, member.value());
      }
      out.push_back('}');
      return;
    }
  }
}

}  // namespace

std::size_t measure_string(std::string_view s) {
  std::size_t bytes = 2;
  for (std::size_t i = 0; i < s.size();) {
    switch (escape_of(s[i])) {
      case 0:
        ++bytes, ++i;
        break;
      case 'u':
      case 'x':
        bytes += next_character(s, i) < 0x10000 ? 6 : 12;
        break;
      default:
        bytes += 2, ++i;
        break;
    }
  }
  return bytes;
}

Extent measure(const bj::value& value) {
  if (value.is_string()) return {measure_string(view(value.get_string())), 0};
  if (value.is_array()) {
    const bj::array& array = value.get_array();
    Extent out{2 + (array.empty() ? 0 : array.size() - 1), 0};
    for (const bj::value& element : array) {
      const Extent e = measure(element);
      out.bytes += e.bytes;
      out.height = std::max(out.height, e.height);
    }
    ++out.height;
    return out;
  }
  if (value.is_object()) {
    const bj::object& object = value.get_object();
    Extent out{2 + (object.empty() ? 0 : object.size() - 1), 0};
    for (const auto& member : object) {
      const Extent e = measure(member.value());
      out.bytes += measure_string(view(member.key())) + 1 + e.bytes;
      out.height = std::max(out.height, e.height);
    }
    ++out.height;
    return out;
  }
  std::string scalar;  // short enough never to be allocated, but for some doubles
  append(scalar, value);
  return {scalar.size(), 0};
}

void append_ascii(std::string& out, const Document& document) { append(out, raw(document)); }

std::string to_ascii(const Document& document) {
  std::string out;
  append_ascii(out, document);
  return out;
}

}  // namespace stateway::json
