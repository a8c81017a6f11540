#include "admin/access.h"

#include <string>

#include "base/bytes.h"
#include "base/peer_network.h"
#include "http/authority.h"

namespace stateway::admin {
namespace {

using http::FieldId;

constexpr std::string_view kForbidden = "forbidden";
constexpr std::string_view kForbiddenTitle = "This is not allowed";

/// An authority with the default port filled in, in canonical text; nullopt for what no listener can be
/// called.
std::optional<Address> read_authority(std::string_view authority) {
  if (!http::is_valid_authority(authority)) return std::nullopt;
  std::string text(http::host_of(authority));
  const std::string_view port = authority.substr(text.size());
  text.append(port.size() > 1 ? port : ":80");
  auto address = parse_address(text);
  if (!address || address->kind != Address::Kind::tcp) return std::nullopt;
  return std::move(*address);
}

bool is_ip_address(const Address& address) {
  static const PeerNetwork v4 = PeerNetwork::parse("0.0.0.0/0").value();
  static const PeerNetwork v6 = PeerNetwork::parse("::/0").value();
  return v4.contains(address.host) || v6.contains(address.host);
}

bool is_own_host(const Address& own, const Address& called) {
  if (called.port != own.port) return false;
  if (called.host == own.host) return true;
  if (is_wildcard(own)) return called.host == "localhost" || is_ip_address(called);
  // Of the other names that lead here none can be pointed elsewhere by a stranger.
  return is_local(own) && (called.host == "localhost" || called.host == "127.0.0.1" || called.host == "::1");
}

/// Whether `origin` is http:// and exactly the host the request is for (RFC 6454 §4); the listener speaks no
/// TLS.
bool is_origin_of(std::string_view origin, const std::optional<Address>& called) {
  constexpr std::string_view kScheme = "http://";
  if (!called || !origin.starts_with(kScheme)) return false;
  return read_authority(origin.substr(kScheme.size())) == called;
}

bool comes_from_another_site(const http::Fields& fields, const std::optional<Address>& called) {
  for (const http::Field& field : fields) {
    if (field.id == FieldId::sec_fetch_site && field.value != "same-origin" && field.value != "none")
      return true;
    if (field.id == FieldId::origin && !is_origin_of(field.value, called)) return true;
  }
  return false;
}

bool is_json(const http::Fields& fields) {
  if (fields.count(FieldId::content_type) != 1) return false;
  const std::string_view value = fields.value_of(FieldId::content_type);
  return equals_ignoring_case(trim_ows(value.substr(0, value.find(';'))), "application/json");
}

bool carries(const http::Fields& fields, const Secret& token) {
  constexpr std::string_view kScheme = "Bearer ";
  if (fields.count(FieldId::authorization) != 1) return false;
  const std::string_view value = fields.value_of(FieldId::authorization);
  if (!equals_ignoring_case(value.substr(0, kScheme.size()), kScheme)) return false;
  return equal_constant_time(value.substr(kScheme.size()), token.reveal());
}

wire::Response ask_for_token(bool one_came) {
  wire::Response response = wire::problem_response(401, "unauthorized", "A token is needed",
                                                   "send the token as Authorization: Bearer");
  response.fields.emplace_back("WWW-Authenticate", one_came
                                                       ? R"(Bearer realm="stateway", error="invalid_token")"
                                                       : R"(Bearer realm="stateway")");
  return response;
}

bool is_probe(const http::Target& target) {
  return target.path() == "/healthz" || target.path() == "/readyz";
}

}  // namespace

std::optional<wire::Response> refuse(const AccessRules& rules, const http::RequestHead& head,
                                     const http::Target& target) {
  std::optional<Address> called;
  if (const auto host = http::effective_host(head, target.authority)) called = read_authority(*host);
  if (rules.own.kind == Address::Kind::tcp && (!called || !is_own_host(rules.own, *called)))
    return wire::problem_response(403, kForbidden, kForbiddenTitle,
                                  "Host is not an address of the admin API");

  const bool safe = http::is_safe(head.method);
  if (!safe && comes_from_another_site(head.fields, called))
    return wire::problem_response(403, kForbidden, kForbiddenTitle,
                                  "requests of other sites may not change anything");
  if (rules.token && !is_probe(target) && !carries(head.fields, *rules.token))
    return ask_for_token(head.fields.has(FieldId::authorization));
  if (!safe && !is_json(head.fields))
    return wire::problem_response(415, "unsupported-media-type", "The content type is not taken here",
                                  "this call needs Content-Type: application/json");
  return std::nullopt;
}

}  // namespace stateway::admin
