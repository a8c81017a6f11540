#include "lab/cookie_jar.h"

#include "base/bytes.h"

namespace stateway::lab {
namespace {

std::string_view take_until(std::string_view& rest, char end) {
  const std::size_t at = std::min(rest.find(end), rest.size());
  const std::string_view out = trim_ows(rest.substr(0, at));
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return out;
}

bool forgets(std::string_view attributes) {
  while (!attributes.empty()) {
    std::string_view attribute = take_until(attributes, ';');
    const std::string_view name = take_until(attribute, '=');
    if (equals_ignoring_case(name, "max-age") && (attribute == "0" || attribute.starts_with('-')))
      return true;
  }
  return false;
}

}  // namespace

void CookieJar::take(const wire::ClientResponse& response) {
  for (const auto& [name, value] : response.fields) {
    if (!equals_ignoring_case(name, "set-cookie")) continue;
    std::string_view rest = value;
    std::string_view pair = take_until(rest, ';');
    const std::string cookie(take_until(pair, '='));
    if (forgets(rest))
      cookies_.erase(cookie);
    else
      cookies_[cookie] = pair;
  }
}

std::string CookieJar::header() const {
  std::string out;
  for (const auto& [name, value] : cookies_)
    out.append(out.empty() ? "" : "; ").append(name).append("=").append(value);
  return out;
}

std::string_view CookieJar::value(std::string_view name) const {
  const auto found = cookies_.find(name);
  return found == cookies_.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace stateway::lab
