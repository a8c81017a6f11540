#include "base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "base/peer_network.h"

namespace stateway {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::size_t kNameMax = 253;  // RFC 1123 §2.1, RFC 1035 §2.3.4
constexpr std::size_t kLabelMax = 63;

std::unexpected<Error> refuse(std::string sentence) {
  return fail(Code::invalid_argument, Side::self, std::move(sentence));
}

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'; }

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kLabelMax || label.front() == '-' || label.back() == '-') return false;
  return std::ranges::all_of(label,
                             [](char c) { return is_digit(c) || is_letter(c) || c == '-' || c == '_'; });
}

/// A name that ends in a number would be read as an IPv4 address by some resolvers and as a name by others.
bool is_name(std::string_view name) {
  if (name.size() > kNameMax) return false;
  for (;;) {
    const std::size_t dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    if (!is_label(label)) return false;
    if (dot == std::string_view::npos) return !std::ranges::all_of(label, is_digit);
    name.remove_prefix(dot + 1);
  }
}

std::optional<std::string> canonical_ip(int family, std::string_view text) {
  const std::string terminated(text);
  unsigned char octets[sizeof(in6_addr)];
  char out[INET6_ADDRSTRLEN];
  if (terminated.size() != std::char_traits<char>::length(terminated.c_str()))
    return std::nullopt;  // a NUL inside
  if (inet_pton(family, terminated.c_str(), octets) != 1) return std::nullopt;
  return inet_ntop(family, octets, out, sizeof out);
}

Result<Address> parse_unix(std::string_view path) {
  if (path.empty()) return refuse("a path must follow unix:");
  if (path.size() > kUnixPathMax) return refuse("the path of a unix socket may have at most 107 characters");
  if (path.find('\0') != std::string_view::npos)
    return refuse("the path of a unix socket may not hold a NUL");
  Address address;
  address.kind = Address::Kind::unix_socket;
  address.path = path;
  return address;
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) return parse_unix(text.substr(kUnixPrefix.size()));
  if (text.starts_with('/')) return refuse("a unix socket is written unix:/path");
  if (text.find("//") != std::string_view::npos) return refuse("an address is host:port, not a URL");

  const bool bracketed = text.starts_with('[');
  const std::size_t host_end = bracketed ? text.find(']') : text.find(':');
  if (bracketed && host_end == std::string_view::npos) return refuse("the closing bracket is missing");
  const std::string_view host = bracketed ? text.substr(1, host_end - 1) : text.substr(0, host_end);
  std::string_view rest =
      host_end == std::string_view::npos ? "" : text.substr(host_end + (bracketed ? 1 : 0));
  if (!rest.starts_with(':')) return refuse("the port is missing: write host:port");
  rest.remove_prefix(1);
  if (!bracketed && rest.find(':') != std::string_view::npos)
    return refuse("an IPv6 address needs brackets: [::1]:8080");

  const std::optional<std::uint64_t> port = rest.size() <= 5 ? parse_decimal(rest) : std::nullopt;
  if (!port || *port > 65535) return refuse("the port must be a number from 0 to 65535");

  Address address;
  address.port = static_cast<std::uint16_t>(*port);
  if (std::optional<std::string> ip = canonical_ip(bracketed ? AF_INET6 : AF_INET, host)) {
    address.host = std::move(*ip);
    return address;
  }
  if (bracketed) return refuse("what stands in the brackets is not an IPv6 address");
  if (host.empty()) return refuse("the host is missing: 0.0.0.0 stands for every interface");
  if (!is_name(host)) return refuse("the host is neither an IP address nor a name");
  address.host = to_lower(host);
  return address;
}

std::string to_string(const Address& address) {
  if (address.kind == Address::Kind::unix_socket) return std::string(kUnixPrefix) + address.path;
  const bool brackets = address.host.find(':') != std::string::npos;
  return (brackets ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

bool is_local(const Address& address) {
  if (address.kind == Address::Kind::unix_socket) return true;
  if (address.host == "localhost" || address.host.ends_with(".localhost")) return true;  // RFC 6761 §6.3
  static const PeerNetwork v4 = PeerNetwork::parse("127.0.0.0/8").value();
  static const PeerNetwork v6 = PeerNetwork::parse("::1").value();
  return v4.contains(address.host) || v6.contains(address.host);
}

bool is_wildcard(const Address& address) {
  return address.kind == Address::Kind::tcp && (address.host == "0.0.0.0" || address.host == "::");
}

}  // namespace stateway
