#include "http/cookies.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "http/octets.h"

namespace stateway::http {

bool CookieReader::next(Pair& out) {
  for (;;) {
    while (rest_.empty()) {
      while (next_ != end_ && next_->id != FieldId::cookie) ++next_;
      if (next_ == end_) return false;
      rest_ = (next_++)->value;
    }
    const std::size_t semicolon = rest_.find(';');
    out.text = trim_ows(rest_.substr(0, semicolon));
    rest_ = semicolon == std::string_view::npos ? std::string_view{} : rest_.substr(semicolon + 1);
    if (out.text.empty()) continue;
    const std::size_t equals = out.text.find('=');
    const bool named = equals != std::string_view::npos;
    out.name = named ? trim_ows(out.text.substr(0, equals)) : std::string_view{};
    out.value = named ? trim_ows(out.text.substr(equals + 1)) : out.text;
    return true;
  }
}

CookieValues find_all(const Fields& fields, std::string_view name) {
  CookieValues found;
  if (!fields.has(FieldId::cookie)) return found;
  CookieReader reader(fields);
  CookieReader::Pair pair;
  while (found.count < kCookiesTriedMax && reader.next(pair))
    if (pair.name == name) found.values[found.count++] = pair.value;
  return found;
}

std::string without(const Fields& fields, std::span<const std::string_view> names) {
  std::string out;
  if (!fields.has(FieldId::cookie)) return out;
  CookieReader reader(fields);
  CookieReader::Pair pair;
  while (reader.next(pair)) {
    if (std::ranges::find(names, pair.name) != names.end()) continue;
    if (!out.empty()) out.append("; ");
    out.append(pair.text);
  }
  return out;
}

bool is_cookie_value(std::string_view value) {
  // Sealed values are long: no branch in the loop, so that it takes many octets at a time.
  bool bad = false;
  for (const char c : value)
    bad |= (c <= ' ') | (c == 0x7f) | (c == '"') | (c == ',') | (c == ';') | (c == '\\');
  return !bad;
}

std::string set_cookie(const SetCookie& cookie) {
  CHECK(is_token(cookie.name) && is_cookie_value(cookie.value));
  CHECK(is_valid_field_value(cookie.path) && cookie.path.find(';') == std::string_view::npos);
  std::string out;
  out.reserve(cookie.name.size() + cookie.value.size() + 80);
  out.append(cookie.name).append(1, '=').append(cookie.value).append("; Path=").append(cookie.path);
  if (cookie.max_age) out.append("; Max-Age=").append(std::to_string(*cookie.max_age));
  if (cookie.secure) out.append("; Secure");
  if (cookie.http_only) out.append("; HttpOnly");
  switch (cookie.same_site) {
    case SameSite::lax:
      out.append("; SameSite=Lax");
      break;
    case SameSite::strict:
      out.append("; SameSite=Strict");
      break;
    case SameSite::none:
      out.append("; SameSite=None");
      break;
  }
  return out;
}

}  // namespace stateway::http
