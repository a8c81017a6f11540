// Which octets may stand where (RFC 9110 §5.5, §5.6.2), as tables and as scans that take eight octets at a
// time.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace stateway::http {

static_assert(std::endian::native == std::endian::little,
              "first_control counts octets from the low end of a word");

namespace detail {
constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789"
                                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}
inline constexpr auto kToken = make_token_table();
}  // namespace detail

constexpr bool is_token_char(char c) { return detail::kToken[static_cast<unsigned char>(c)]; }
/// One or more token octets: a field name or a method.
constexpr bool is_token(std::string_view s) {
  for (const char c : s)
    if (!is_token_char(c)) return false;
  return !s.empty();
}
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
/// The digit's value, or -1.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The first octet of [p, end) that is a control: below 0x20, or DEL; HTAB is skipped. `end` if there is
/// none.
inline const char* first_control(const char* p, const char* end) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x8080808080808080;
  for (;;) {
    while (end - p >= 8) {
      std::uint64_t w;
      std::memcpy(&w, p, 8);
      const std::uint64_t del = w ^ (kOnes * 0x7f);
      // Borrows can only mark octets above the first true one, so the lowest mark is exact.
      const std::uint64_t marks = (((w - kOnes * 0x20) & ~w) | ((del - kOnes) & ~del)) & kHigh;
      if (marks != 0) {
        p += std::countr_zero(marks) / 8;
        break;
      }
      p += 8;
    }
    if (end - p < 8)
      while (p != end && static_cast<unsigned char>(*p) >= 0x20 && *p != 0x7f) ++p;
    if (p == end || *p != '\t') return p;
    ++p;
  }
}

/// No control octet but HTAB: such a value cannot break out of its line.
inline bool is_valid_field_value(std::string_view s) {
  return first_control(s.data(), s.data() + s.size()) == s.data() + s.size();
}

}  // namespace stateway::http
