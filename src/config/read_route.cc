#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "config/sections.h"
#include "http/octets.h"
#include "http/target.h"

namespace stateway::config {
namespace {

/// What keeps `path` from matching the normalized paths of requests; empty when nothing does.
std::string_view path_problem(std::string_view path) {
  if (!path.starts_with('/')) return "a path begins with /";
  if (path == "/") return {};
  if (path.ends_with("/*") || path.ends_with('/'))
    return "a path covers everything below it: leave out the / or /* at its end";
  if (!std::ranges::all_of(path, [](char c) { return c > ' ' && c < '\x7f' && c != '?' && c != '#'; }))
    return "what cannot stand in the path of a URL is written %XX";
  const Result<http::Target> target = http::parse_target(http::Method::get, path);
  if (!target) return "no request with such a path is served";
  if (target->path() != path)
    return "requests are matched in the normal form of RFC 3986 §6.2.2, this is another";
  return {};
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

std::optional<std::string> read_host(const Section& section) {
  const std::optional<Text> text = section.text("host");
  if (!text) return std::nullopt;
  const auto refuse = [&](std::string_view why) {
    section.problem("host", fmt::format("host \"{}\": {}", text->raw, why));
    return std::nullopt;
  };
  if (parse_address(text->value)) return refuse("write a name or an IP address without a port");
  const Result<Address> address = parse_address(text->value + ":0");
  if (!address) return refuse(address.error().context);
  return bracketed(address->host);
}

std::vector<std::string> read_methods(const Section& section) {
  std::vector<std::string> methods;
  const std::vector<Text> texts = section.texts("methods");
  if (section.has("methods") && texts.empty())
    section.problem("methods", "methods must not be empty: leave it out to serve all");
  for (const Text& text : texts) {
    const auto refuse = [&](std::string_view why) {
      section.report().problem(text.place, fmt::format("method \"{}\": {}", text.raw, why));
    };
    if (!http::is_token(text.value))
      refuse("not a method");
    else if (std::ranges::any_of(text.value, [](char c) { return c >= 'a' && c <= 'z'; }))
      refuse("methods are upper case");
    else if (std::ranges::find(methods, text.value) != methods.end())
      refuse("listed twice");
    else
      methods.push_back(text.value);
  }
  return methods;
}

/// The form a browser sends: RFC 6454 §6.2, lower case, without the scheme's own port.
std::optional<std::string> canonical_origin(std::string_view text) {
  const std::string origin = to_lower(text);
  for (const auto& [scheme, port] :
       {std::pair<std::string_view, std::uint16_t>{"http://", 80}, {"https://", 443}}) {
    if (!origin.starts_with(scheme)) continue;
    const std::string authority = origin.substr(scheme.size());
    Result<Address> address = parse_address(authority);
    if (address && (address->kind != Address::Kind::tcp || address->port == 0)) return std::nullopt;
    if (!address) {
      address = parse_address(authority + ":" + std::to_string(port));
      if (!address) return std::nullopt;
    }
    std::string out = std::string(scheme) + bracketed(address->host);
    return address->port == port ? out : out + ":" + std::to_string(address->port);
  }
  return std::nullopt;
}

std::vector<std::string> read_origins(const Section& section) {
  std::vector<std::string> origins;
  for (const Text& text : section.texts("origins")) {
    if (std::optional<std::string> origin = canonical_origin(text.value))
      origins.push_back(std::move(*origin));
    else
      section.report().problem(
          text.place,
          fmt::format("origin \"{}\" must be http:// or https://, a host and perhaps a port", text.raw));
  }
  return origins;
}

std::optional<route::Affinity> read_affinity(const Section& section) {
  const std::optional<Text> text = section.text("affinity");
  if (!text) return std::nullopt;
  Result<route::Affinity> affinity = route::parse_affinity(text->value);
  if (affinity) return std::move(*affinity);
  section.problem("affinity", fmt::format("affinity \"{}\": {}", text->raw, affinity.error().context));
  return std::nullopt;
}

}  // namespace

route::RouteOptions read_route(const Section& section) {
  route::RouteOptions options;
  if (const auto path = section.text("path")) {
    options.path = path->value;
    if (const std::string_view why = path_problem(options.path); !why.empty())
      section.problem("path", fmt::format("path \"{}\": {}", path->raw, why));
  }
  options.host = read_host(section);
  options.methods = read_methods(section);
  if (const auto service = section.text("service")) options.service = service->value;
  if (const auto session = section.text("session")) options.session = session->value;
  options.origins = read_origins(section);
  section.read("max_body", options.max_body_bytes);
  options.affinity = read_affinity(section);
  section.read("replay", options.replay);
  enum class Off { off } off{};  // the only value of these in this release
  section.read("auth", off);
  section.read("idempotency", off);
  if (options.replay == route::Replay::reexecute && !section.has("session"))
    section.problem("replay",
                    "replay = \"re-execute\" needs a session: only what its patch does may happen twice");
  return options;
}

}  // namespace stateway::config
