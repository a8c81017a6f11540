// Request targets (RFC 9112 §3.2) and the normal form of paths (RFC 3986 §6.2.2) that routes match and
// services get.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace stateway::http {

struct Target {
  enum class Form : std::uint8_t {
    origin,     // "/path?query"
    absolute,   // "http://authority/path?query"
    authority,  // "host:port", CONNECT only
    asterisk,   // "*", OPTIONS only
  };
  Form form = Form::origin;
  std::string_view query;      // with its '?', so that path() and query join; empty without one
  std::string_view authority;  // of the absolute and authority forms; valid (authority.h)
  std::string_view scheme;     // "http" or "https", as spelt by the client; absolute form only
  bool odd_slash = false;      // the path as sent holds `%2F`, `%5C` or `\`, which some take for '/'

  /// The normalized path: begins with '/', or is "*" (asterisk form), or empty (authority form).
  /// A view into this object or into the parsed bytes.
  std::string_view path() const { return owned_path_.empty() ? raw_path_ : std::string_view(owned_path_); }

 private:
  friend Result<Target> parse_target(Method method, std::string_view text);
  Result<void> set_path(std::string_view raw);

  std::string_view raw_path_;  // a path that is already normal is not copied
  std::string owned_path_;
};

/// Parses a target that the head parser accepted. Normalization of the path: unreserved octets are decoded,
/// the triplets that stay get upper-case digits, dot segments go, also when they are encoded; `//` stays.
/// `%2F`, `%5C` and `\` are never decoded or changed but for case: see odd_slash. The query stays as it is.
/// Error, Side::client: bad_target for another form than the method allows, a scheme other than http and
/// https, user information, a malformed authority, a fragment, `%00` or a malformed triplet in the path.
/// Views point into `text`. Pure.
Result<Target> parse_target(Method method, std::string_view text);

}  // namespace stateway::http
