// Addresses as the system's calls take them.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/error.h"

namespace stateway::io {

/// A socket address of the system: what Address becomes once its host is an IP address.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// A unix address, or a TCP one whose host is an IP address in text; nullopt for names.
/// A unix path must fit sun_path (107 octets): Code::invalid_argument.
Result<std::optional<SocketAddress>> literal_address(const Address& address);
/// getaddrinfo; blocks. Errors: connect_failed with the resolver's reason.
Result<std::vector<SocketAddress>> resolve_blocking(const Address& address);
/// The IP address in text, or "unix".
std::string host_text(const sockaddr_storage& storage);

}  // namespace stateway::io
