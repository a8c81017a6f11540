#include "base/bytes.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <array>
#include <charconv>

namespace stateway {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> make_reverse() {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i)
    table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  return table;
}
constexpr auto kReverse = make_reverse();

}  // namespace

std::string base64url_encode(std::span<const std::byte> in) {
  std::string out((in.size() * 4 + 2) / 3, '\0');
  const auto octet = [in](std::size_t i) { return std::to_integer<std::uint32_t>(in[i]); };
  const auto letter = [](std::uint32_t bits) { return kAlphabet[bits & 63]; };
  char* to = out.data();
  std::size_t i = 0;
  for (; i + 3 <= in.size(); i += 3) {
    const std::uint32_t bits = octet(i) << 16 | octet(i + 1) << 8 | octet(i + 2);
    for (const int shift : {18, 12, 6, 0}) *to++ = letter(bits >> shift);
  }
  if (i == in.size()) return out;
  const bool two = i + 2 == in.size();
  const std::uint32_t bits = octet(i) << 16 | (two ? octet(i + 1) << 8 : 0);
  *to++ = letter(bits >> 18);
  *to++ = letter(bits >> 12);
  if (two) *to = letter(bits >> 6);
  return out;
}

std::optional<std::string> base64url_decode(std::string_view in) {
  if (in.size() % 4 == 1) return std::nullopt;
  std::string out(in.size() * 3 / 4, '\0');
  std::int32_t all = 0;  // negative once a character is none of the alphabet's
  const auto value = [in, &all](std::size_t i) {
    const std::int32_t v = kReverse[static_cast<unsigned char>(in[i])];
    all |= v;
    return static_cast<std::uint32_t>(v);
  };
  char* to = out.data();
  std::size_t i = 0;
  for (; i + 4 <= in.size(); i += 4) {
    const std::uint32_t bits = value(i) << 18 | value(i + 1) << 12 | value(i + 2) << 6 | value(i + 3);
    for (const int shift : {16, 8, 0}) *to++ = static_cast<char>(bits >> shift);
  }
  if (i < in.size()) {
    const bool three = i + 3 == in.size();
    const std::uint32_t bits = value(i) << 18 | value(i + 1) << 12 | (three ? value(i + 2) << 6 : 0);
    *to++ = static_cast<char>(bits >> 16);
    if (three) *to = static_cast<char>(bits >> 8);
    if ((bits & (three ? 0xffu : 0xffffu)) != 0) return std::nullopt;  // spare bits
  }
  if (all < 0) return std::nullopt;
  return out;
}

std::string sha256(std::string_view in) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(in.data()), in.size(),
         reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

std::string sha1_hex(std::string_view in) {
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(in.data()), in.size(), digest);
  std::string out;
  for (const unsigned char octet : digest) {
    out.push_back("0123456789abcdef"[octet >> 4]);
    out.push_back("0123456789abcdef"[octet & 15]);
  }
  return out;
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string to_lower(std::string_view s) {
  std::string out(s);
  for (char& c : out) c = ascii_lower(c);
  return out;
}

std::optional<std::uint64_t> parse_decimal(std::string_view s) {
  std::uint64_t v = 0;
  if (s.empty() || s.front() < '0' || s.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (error != std::errc() || end != s.data() + s.size()) return std::nullopt;
  return v;
}

std::size_t utf8_sequence(std::string_view s) {
  const auto at = [&](std::size_t i) {
    return i < s.size() ? static_cast<std::uint8_t>(s[i]) : std::uint8_t{0};
  };
  const auto continues = [&](std::size_t i) { return (at(i) & 0xc0) == 0x80; };
  const std::uint8_t first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && at(1) < 0xa0;
    const bool surrogate = first == 0xed && at(1) > 0x9f;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool overlong = first == 0xf0 && at(1) < 0x90;
    const bool beyond = first == 0xf4 && at(1) > 0x8f;
    return continues(1) && continues(2) && continues(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

bool is_utf8(std::string_view s) {
  while (!s.empty()) {
    const std::size_t size = utf8_sequence(s);
    if (size == 0) return false;
    s.remove_prefix(size);
  }
  return true;
}

}  // namespace stateway
