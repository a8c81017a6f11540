// Where to listen or connect: a TCP host and port, or a unix socket. Text only; names are resolved by io.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stateway {

struct Address {
  enum class Kind : std::uint8_t { tcp, unix_socket };

  Kind kind = Kind::tcp;
  std::string host{};  // tcp: an IPv4 or IPv6 address in canonical text (no brackets), or a lower-case name
  std::uint16_t port = 0;  // tcp: 0 lets the system choose, when listening
  std::string path{};      // unix_socket: relative paths belong to the working directory

  bool operator==(const Address&) const = default;
};

/// Octets of a unix socket's path that the kernel accepts: sun_path without its NUL.
inline constexpr std::size_t kUnixPathMax = 107;

/// Reads "host:port", "[v6 address]:port" or "unix:path". IPv6 needs its brackets, a port its digits, a name
/// RFC 1123 labels ('_' allowed); a name whose last label is a number must be an IPv4 address. Errors:
/// invalid_argument with one sentence that does not repeat `text`. Pure; any thread.
Result<Address> parse_address(std::string_view text);

/// The form parse_address reads: "127.0.0.1:8080", "[::1]:8080", "unix:/run/shop.sock".
std::string to_string(const Address& address);

/// True when nobody beyond this machine can reach it: unix sockets, 127.0.0.0/8, ::1, localhost and
/// *.localhost.
bool is_local(const Address& address);
/// True for 0.0.0.0 and [::]: every interface when listening, no destination at all.
bool is_wildcard(const Address& address);

}  // namespace stateway
