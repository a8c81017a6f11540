#include "json/number.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

namespace stateway::json {
namespace {

constexpr std::size_t kDigitsMax = 17;  // what the shortest form of a double can need

/// 0.d1d2…dn × 10^exponent, d1 and dn not zero; zero has no digits.
struct Decimal {
  std::array<char, kDigitsMax> digits{};
  std::size_t count = 0;
  long exponent = 0;

  bool operator==(const Decimal&) const = default;
};

// nullopt when it has more digits than any double needs, or an exponent no double has.
std::optional<Decimal> read_decimal(std::string_view text) {
  Decimal out;
  std::size_t i = text.starts_with('-') ? 1 : 0;
  std::size_t zeros = 0;  // seen since the last other digit; kept only if another follows
  bool fraction = false;
  for (; i < text.size() && (text[i] | 0x20) != 'e'; ++i) {
    if (text[i] == '.') {
      fraction = true;
    } else if (text[i] == '0') {
      if (out.count > 0) ++zeros;
      if (out.count > 0 ? !fraction : fraction) out.exponent += fraction ? -1 : 1;
    } else {
      if (out.count + zeros + 1 > kDigitsMax) return std::nullopt;
      while (zeros > 0) out.digits[out.count++] = '0', --zeros;
      out.digits[out.count++] = text[i];
      if (!fraction) ++out.exponent;
    }
  }
  if (out.count == 0) return Decimal{};
  if (i < text.size()) {
    long power = 0;
    const char* first = text.data() + i + 1;
    if (first != text.data() + text.size() && *first == '+') ++first;
    const auto [end, error] = std::from_chars(first, text.data() + text.size(), power);
    if (error != std::errc() || power > 100'000 || power < -100'000) return std::nullopt;
    out.exponent += power;
  }
  return out;
}

}  // namespace

std::optional<double> exact_double(std::string_view text) {
  const std::optional<Decimal> wanted = read_decimal(text);
  if (!wanted) return std::nullopt;
  if (wanted->count == 0) return text.starts_with('-') ? -0.0 : 0.0;
  double d = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), d);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  // Up to 15 digits survive the way through a double; only near its smallest values they do not.
  if (wanted->count <= 15 && wanted->exponent > -300 && wanted->exponent < 300) return d;
  char shortest[32];
  const auto written = std::to_chars(shortest, shortest + sizeof shortest, d, std::chars_format::scientific);
  const std::optional<Decimal> got = read_decimal({shortest, written.ptr});
  if (!got || *got != *wanted) return std::nullopt;
  return d;
}

void append_double(std::string& out, double d) {
  // Larger doubles are integers whose plain form has more digits than needed: not the decimal that was read.
  constexpr double kPlainMax = 9007199254740992.0;
  char text[32];
  const auto written = std::abs(d) < kPlainMax
                           ? std::to_chars(text, text + sizeof text, d)
                           : std::to_chars(text, text + sizeof text, d, std::chars_format::scientific);
  const std::string_view shortest(text, written.ptr);
  out += shortest;
  if (shortest.find_first_of(".e") == std::string_view::npos) out += ".0";
}

}  // namespace stateway::json
