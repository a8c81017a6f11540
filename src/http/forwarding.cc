#include "http/forwarding.h"

#include <algorithm>

#include "base/bytes.h"
#include "http/octets.h"
#include "http/writer.h"

namespace stateway::http {
namespace {

constexpr std::size_t kRequestIdMax = 128;

// Appends the values of all fields of that id as one list, with a comma behind it when there was any.
void append_list(std::string& out, const Fields& fields, FieldId id) {
  if (!fields.has(id)) return;
  for (const Field& f : fields)
    if (f.id == id && !f.value.empty()) out.append(f.value).append(", ");
}

// RFC 7239 §4: a token, or else a quoted-string.
void append_parameter(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(1, '=');
  if (is_token(value)) {
    out.append(value);
    return;
  }
  out.push_back('"');
  for (const char c : value) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

/// "192.0.2.1:80", "[2001:db8::1]:80" and "2001:db8::1" without port and brackets.
std::string_view without_port(std::string_view node) {
  if (node.starts_with('[')) return node.substr(1, node.find(']') - 1);
  const std::size_t colon = node.find(':');
  const bool has_port =
      colon != std::string_view::npos && node.find(':', colon + 1) == std::string_view::npos;
  return has_port ? node.substr(0, colon) : node;
}

/// `for` of one element of Forwarded; empty if it has none.
std::string_view for_of(std::string_view element) {
  while (!element.empty()) {
    const std::size_t end = std::min(element.find(';'), element.size());
    std::string_view pair = trim_ows(element.substr(0, end));
    element.remove_prefix(std::min(end + 1, element.size()));
    if (!equals_ignoring_case(pair.substr(0, 4), "for=")) continue;
    pair.remove_prefix(4);
    const bool quoted = pair.size() >= 2 && pair.front() == '"' && pair.back() == '"';
    return quoted ? pair.substr(1, pair.size() - 2) : pair;
  }
  return {};
}

void append_kept_or_own(std::string& out, std::string_view name, const Field* kept, std::string_view own) {
  const std::string_view value = kept != nullptr ? kept->value : own;
  if (!value.empty()) append_field(out, name, value);
}

}  // namespace

HopByHop::HopByHop(const Fields& received) {
  if (!received.has(FieldId::connection)) return;
  for (const Field& f : received) {
    if (f.id != FieldId::connection) continue;
    std::string_view rest = f.value, member;
    while (next_list_member(rest, member))
      if (field_id(member) == FieldId::other && !equals_ignoring_case(member, "close"))
        named_.push_back(member);
  }
}

bool HopByHop::drops(const Field& field) const {
  switch (field.id) {
    case FieldId::connection:
    case FieldId::http2_settings:
    case FieldId::keep_alive:
    case FieldId::proxy_authenticate:
    case FieldId::proxy_authentication_info:
    case FieldId::proxy_authorization:
    case FieldId::proxy_connection:
    case FieldId::te:
    case FieldId::transfer_encoding:
    case FieldId::upgrade:
      return true;
    case FieldId::other:
      return std::ranges::any_of(named_, [&](auto name) { return equals_ignoring_case(name, field.name); });
    default:
      return false;
  }
}

bool may_forward_trailer(std::string_view name) { return field_id(name) == FieldId::other; }

void append_via(std::string& out, const Fields& received, int minor) {
  out.append("Via: ");
  append_list(out, received, FieldId::via);
  out.append(minor == 0 ? "1.0 stateway\r\n" : "1.1 stateway\r\n");
}

void append_forwarded(std::string& out, const Fields& received, const Hop& hop) {
  out.append("Forwarded: ");
  if (hop.trusted) append_list(out, received, FieldId::forwarded);
  if (hop.client_address.empty()) {
    out.append("for=unknown");
  } else if (hop.client_address.find(':') != std::string_view::npos) {
    out.append("for=\"[").append(hop.client_address).append("]\"");
  } else {
    append_parameter(out, "for", hop.client_address);
  }
  if (!hop.host.empty()) append_parameter(out, ";host", hop.host);
  append_parameter(out, ";proto", hop.proto);
  out.append("\r\n");

  const bool keeps_for = hop.trusted && received.has(FieldId::x_forwarded_for);
  if (keeps_for || !hop.client_address.empty()) {
    out.append("X-Forwarded-For: ");
    if (keeps_for) append_list(out, received, FieldId::x_forwarded_for);
    out.append(hop.client_address.empty() ? "unknown" : hop.client_address).append("\r\n");
  }
  const auto kept = [&](FieldId id) { return hop.trusted ? received.find(id) : nullptr; };
  append_kept_or_own(out, "X-Forwarded-Host", kept(FieldId::x_forwarded_host), hop.host);
  append_kept_or_own(out, "X-Forwarded-Proto", kept(FieldId::x_forwarded_proto), hop.proto);
}

std::vector<std::string_view> forwarded_for(const Fields& received) {
  const bool common = received.has(FieldId::x_forwarded_for);
  std::vector<std::string_view> out;
  for (const Field& f : received) {
    if (f.id != (common ? FieldId::x_forwarded_for : FieldId::forwarded)) continue;
    std::string_view rest = f.value, member;
    while (next_list_member(rest, member)) out.push_back(without_port(common ? member : for_of(member)));
  }
  return out;
}

bool is_rewritten(FieldId id, bool trusted) {
  switch (id) {
    case FieldId::forwarded:
    case FieldId::via:
    case FieldId::x_forwarded_for:
    case FieldId::x_forwarded_host:
    case FieldId::x_forwarded_proto:
      return true;
    case FieldId::x_forwarded_other:
      return !trusted;
    default:
      return false;
  }
}

bool is_valid_request_id(std::string_view id) {
  const auto is_good = [](char c) { return is_alpha(c) || is_digit(c) || c == '.' || c == '_' || c == '-'; };
  return !id.empty() && id.size() <= kRequestIdMax && std::ranges::all_of(id, is_good);
}

}  // namespace stateway::http
