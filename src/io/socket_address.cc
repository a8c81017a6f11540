#include "io/socket_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

namespace stateway::io {

std::string host_text(const sockaddr_storage& storage) {
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, text, sizeof text);
    return text;
  }
  if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&v6))  // a dual-stack listener's IPv4 client
      inet_ntop(AF_INET, &v6.s6_addr[12], text, sizeof text);
    else
      inet_ntop(AF_INET6, &v6, text, sizeof text);
    return text;
  }
  return "unix";
}

Result<std::optional<SocketAddress>> literal_address(const Address& address) {
  SocketAddress out;
  if (address.kind == Address::Kind::unix_socket) {
    auto& un = reinterpret_cast<sockaddr_un&>(out.storage);
    if (address.path.size() >= sizeof un.sun_path)
      return fail(Code::invalid_argument, Side::self,
                  "the path is longer than a unix socket's 107 octets: " + address.path);
    un.sun_family = AF_UNIX;
    std::memcpy(un.sun_path, address.path.data(), address.path.size());
    out.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.path.size() + 1);
    return out;
  }
  auto& v4 = reinterpret_cast<sockaddr_in&>(out.storage);
  if (inet_pton(AF_INET, address.host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    out.size = sizeof v4;
    return out;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(out.storage);
  if (inet_pton(AF_INET6, address.host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    out.size = sizeof v6;
    return out;
  }
  return std::optional<SocketAddress>();
}

Result<std::vector<SocketAddress>> resolve_blocking(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (error != 0)
    return fail(Code::connect_failed, Side::upstream, to_string(address) + ": " + gai_strerror(error),
                Retry::always);
  std::vector<SocketAddress> out;
  for (const addrinfo* i = found; i != nullptr; i = i->ai_next) {
    SocketAddress& a = out.emplace_back();
    std::memcpy(&a.storage, i->ai_addr, i->ai_addrlen);
    a.size = i->ai_addrlen;
  }
  freeaddrinfo(found);
  return out;
}

}  // namespace stateway::io
