// Text and byte helpers shared by every parser: strict base64url, ASCII case, UTF-8, decimal numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace stateway {

/// RFC 4648 §5 without padding.
std::string base64url_encode(std::span<const std::byte> in);
/// Strict: no padding, no other alphabet, no spare bits set. nullopt otherwise.
std::optional<std::string> base64url_decode(std::string_view in);

inline std::span<const std::byte> as_bytes(std::string_view s) {
  return std::as_bytes(std::span(s.data(), s.size()));
}

/// The SHA-256 digest of `in`, 32 raw octets.
std::string sha256(std::string_view in);
/// The SHA-1 digest of `in` in hexadecimal: a name that other systems give things, no protection.
std::string sha1_hex(std::string_view in);
/// Compares without telling by its time where the first difference is; lengths are public.
bool equal_constant_time(std::string_view a, std::string_view b);

constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
  return true;
}
std::string to_lower(std::string_view s);

/// Strips SP and HTAB from both ends (OWS, RFC 9110 §5.6.3).
constexpr std::string_view trim_ows(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

/// The size of the well-formed UTF-8 sequence at the front of `s` (Unicode 15, table 3-7), or 0.
std::size_t utf8_sequence(std::string_view s);
/// All of `s` is well-formed UTF-8.
bool is_utf8(std::string_view s);

/// Digits only, no sign, no blanks, no overflow. nullopt otherwise, and for the empty string.
std::optional<std::uint64_t> parse_decimal(std::string_view s);

}  // namespace stateway
