#include "http/authority.h"

#include <arpa/inet.h>

#include <array>

#include "base/bytes.h"
#include "http/octets.h"

namespace stateway::http {
namespace {

bool is_ipv6(std::string_view s) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (s.size() >= text.size()) return false;
  s.copy(text.data(), s.size());
  in6_addr address;
  return inet_pton(AF_INET6, text.data(), &address) == 1;
}

bool is_reg_name(std::string_view s) {
  constexpr std::string_view kMarks = "-._~!$&'()*+,;=";
  for (std::size_t i = 0; i < s.size(); ++i) {
    const char c = s[i];
    if (is_alpha(c) || is_digit(c) || kMarks.find(c) != std::string_view::npos) continue;
    if (c != '%' || i + 2 >= s.size() || hex_value(s[i + 1]) < 0 || hex_value(s[i + 2]) < 0) return false;
    i += 2;
  }
  return !s.empty();
}

}  // namespace

std::string_view host_of(std::string_view authority) {
  const std::size_t bracket = authority.find(']');
  return authority.substr(0, authority.find(':', bracket == std::string_view::npos ? 0 : bracket));
}

bool is_valid_authority(std::string_view authority) {
  const std::string_view host = host_of(authority);
  if (host.size() + 1 < authority.size()) {
    const auto port = parse_decimal(authority.substr(host.size() + 1));
    if (!port || *port > 65535) return false;
  }
  if (host.starts_with('['))
    return host.size() > 2 && host.ends_with(']') && is_ipv6(host.substr(1, host.size() - 2));
  return is_reg_name(host);
}

Result<std::string_view> effective_host(const RequestHead& head, std::string_view target_authority) {
  const std::size_t count = head.fields.count(FieldId::host);
  if (count > 1) return fail(Code::bad_host, Side::client, "several Host fields");
  if (count == 0) {
    if (head.minor >= 1) return fail(Code::bad_host, Side::client, "no Host field");
    return target_authority;
  }
  const std::string_view host = head.fields.value_of(FieldId::host);
  if (!is_valid_authority(host)) return fail(Code::bad_host, Side::client, "malformed Host");
  return target_authority.empty() ? host : target_authority;
}

}  // namespace stateway::http
