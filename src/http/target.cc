#include "http/target.h"

#include <algorithm>

#include "base/bytes.h"
#include "http/authority.h"
#include "http/octets.h"

namespace stateway::http {
namespace {

std::unexpected<Error> bad(const char* why) { return fail(Code::bad_target, Side::client, why); }

constexpr bool is_unreserved(char c) {
  return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

bool is_dot_segment(std::string_view segment) { return segment == "." || segment == ".."; }

// Whether normalization would leave `path` as it is. It may say no for one it would not change (`/%C3`).
bool is_normal(std::string_view path) {
  if (path.find('%') != std::string_view::npos) return false;
  for (std::size_t at = path.find("/."); at != std::string_view::npos; at = path.find("/.", at + 1))
    if (is_dot_segment(path.substr(at + 1, path.find('/', at + 1) - at - 1))) return false;
  return true;
}

// RFC 3986 §6.2.2.1 and §6.2.2.2. Its output is never decoded again: "%252e" stays.
Result<std::string> normalize_triplets(std::string_view path, bool& odd_slash) {
  std::string out;
  out.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      out.push_back(path[i]);
      continue;
    }
    if (path.size() - i < 3) return bad("malformed percent-encoding");
    const int high = hex_value(path[i + 1]);
    const int low = hex_value(path[i + 2]);
    if (high < 0 || low < 0) return bad("malformed percent-encoding");
    const char c = static_cast<char>(high << 4 | low);
    if (c == '\0') return bad("%00 in the path");
    if (c == '/' || c == '\\') odd_slash = true;
    if (is_unreserved(c)) {
      out.push_back(c);
    } else {
      constexpr std::string_view kDigits = "0123456789ABCDEF";
      out.append({'%', kDigits[static_cast<std::size_t>(high)], kDigits[static_cast<std::size_t>(low)]});
    }
    i += 2;
  }
  return out;
}

// RFC 3986 §5.2.4, for paths that begin with '/'. In place: what is kept never outgrows what was read.
void remove_dot_segments(std::string& path) {
  std::size_t kept = 0;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t next = std::min(path.find('/', at + 1), path.size());
    const std::string_view segment = std::string_view(path).substr(at + 1, next - at - 1);
    if (!is_dot_segment(segment)) {
      std::char_traits<char>::move(path.data() + kept, path.data() + at, next - at);
      kept += next - at;
    } else {
      if (segment == "..") kept = kept == 0 ? 0 : path.rfind('/', kept - 1);
      if (next == path.size()) path[kept++] = '/';  // a trailing dot segment names a directory
    }
    at = next;
  }
  path.resize(kept);
}

}  // namespace

Result<void> Target::set_path(std::string_view raw) {
  odd_slash = raw.find('\\') != std::string_view::npos;
  raw_path_ = raw;
  if (is_normal(raw)) return {};
  auto decoded = normalize_triplets(raw, odd_slash);
  if (!decoded) return pass_on(std::move(decoded));
  remove_dot_segments(*decoded);
  if (*decoded != raw) owned_path_ = std::move(*decoded);
  return {};
}

Result<Target> parse_target(Method method, std::string_view text) {
  Target target;
  if (text.find('#') != std::string_view::npos) return bad("a fragment");
  if (method == Method::connect) {
    const std::string_view host = host_of(text);
    if (!is_valid_authority(text) || text.size() < host.size() + 2) return bad("CONNECT needs host:port");
    target.form = Target::Form::authority;
    target.authority = text;
    return target;
  }
  if (text == "*") {
    if (method != Method::options) return bad("`*` is for OPTIONS only");
    target.form = Target::Form::asterisk;
    target.raw_path_ = text;
    return target;
  }

  const std::size_t question = text.find('?');
  std::string_view path = text.substr(0, question);
  if (question != std::string_view::npos) target.query = text.substr(question);
  if (!path.starts_with('/')) {
    const std::size_t colon = path.find("://");
    if (colon == std::string_view::npos) return bad("neither a path nor an http URL");
    target.form = Target::Form::absolute;
    target.scheme = path.substr(0, colon);
    if (!equals_ignoring_case(target.scheme, "http") && !equals_ignoring_case(target.scheme, "https"))
      return bad("a scheme other than http and https");
    path.remove_prefix(colon + 3);
    target.authority = path.substr(0, path.find('/'));
    if (!is_valid_authority(target.authority)) return bad("malformed authority");
    path.remove_prefix(target.authority.size());
    if (path.empty()) {
      // RFC 9112 §3.2.4: without path and query, OPTIONS asks about the server as a whole.
      const bool whole_server = method == Method::options && target.query.empty();
      if (whole_server) target.form = Target::Form::asterisk;
      path = whole_server ? "*" : "/";
    }
  }
  if (path == "*") {
    target.raw_path_ = path;
    return target;
  }
  if (auto set = target.set_path(path); !set) return pass_on(std::move(set));
  return target;
}

}  // namespace stateway::http
