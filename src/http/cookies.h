// Cookies as a gateway meets them: read tolerantly, taken out of what is forwarded, written strictly (RFC
// 6265).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "http/message.h"

namespace stateway::http {

/// Walks the cookie-pairs of all Cookie fields in order. Views into the head.
class CookieReader {
 public:
  struct Pair {
    std::string_view text;   // the whole pair, trimmed
    std::string_view name;   // empty when the pair has no '='
    std::string_view value;  // as sent: quotes stay
  };

  explicit CookieReader(const Fields& fields) : next_(fields.begin()), end_(fields.end()) {}
  /// False when there are no more. Empty pairs are skipped.
  bool next(Pair& out);

 private:
  decltype(std::declval<const Fields&>().begin()) next_, end_;
  std::string_view rest_;
};

/// Of several cookies of one name only so many are looked at (a client may send any number).
inline constexpr std::size_t kCookiesTriedMax = 4;

struct CookieValues {
  std::array<std::string_view, kCookiesTriedMax> values;
  std::size_t count = 0;

  auto begin() const { return values.begin(); }
  auto end() const { return values.begin() + count; }
};

/// The values of the first kCookiesTriedMax cookies named `name` (case-sensitive), in order. Views into the
/// head.
CookieValues find_all(const Fields& fields, std::string_view name);

/// The Cookie value to forward: all pairs but those named in `names`, joined by "; ". Empty: send no Cookie
/// field.
std::string without(const Fields& fields, std::span<const std::string_view> names);

enum class SameSite : std::uint8_t { lax, strict, none };

struct SetCookie {
  std::string_view name;   // a token
  std::string_view value;  // cookie-octets; empty with max_age 0 deletes
  std::string_view path = "/";
  bool secure = false;
  bool http_only = true;
  SameSite same_site = SameSite::lax;
  std::optional<std::int64_t> max_age = std::nullopt;  // seconds; nullopt: until the browser closes
};

/// Octets that may stand in a cookie's value. RFC 6265 §4.1.1.
bool is_cookie_value(std::string_view value);

/// A Set-Cookie field's value. All parts are our own: CHECKs that they are valid. RFC 6265 §4.1.
std::string set_cookie(const SetCookie& cookie);

}  // namespace stateway::http
