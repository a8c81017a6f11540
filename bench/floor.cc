// The least a proxy can cost on a machine: octets passed on between two sockets by epoll, one upstream
// connection for each client, nothing parsed, nothing checked. `bench/proxy` shows it beside the proxies:
// what lies below it is the kernel's. Not a proxy to use.
//
//   bench_floor ORIGIN_PORT_OR_UNIX_PATH PORT
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

sockaddr_in loopback(const char* port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::strtoul(port, nullptr, 10)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void no_delay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int connect_to(const char* origin) {
  if (origin[0] != '/') {
    const sockaddr_in address = loopback(origin);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    no_delay(fd);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) std::abort();
    return fd;
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, origin, sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) std::abort();
  return fd;
}

int listen_at(const char* port) {
  const sockaddr_in address = loopback(port);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(fd, 4096) != 0)
    std::abort();
  return fd;
}

void watch(int epoll, int fd, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.fd = fd}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::signal(SIGPIPE, SIG_IGN);
  const int listener = listen_at(argv[2]);
  const int epoll = epoll_create1(0);
  watch(epoll, listener, EPOLLIN);
  std::vector<int> peer(65'536);
  std::array<epoll_event, 256> events;
  std::vector<char> buffer(65'536);
  for (;;) {
    const int n = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < n; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener) {
        const int client = accept4(listener, nullptr, nullptr, 0);
        const int upstream = connect_to(argv[1]);
        no_delay(client);
        peer[static_cast<std::size_t>(client)] = upstream;
        peer[static_cast<std::size_t>(upstream)] = client;
        watch(epoll, client, EPOLLIN | EPOLLRDHUP | EPOLLET);
        watch(epoll, upstream, EPOLLIN | EPOLLRDHUP | EPOLLET);
        continue;
      }
      const int other = peer[static_cast<std::size_t>(fd)];
      const ssize_t got = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got > 0) {
        if (send(other, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) > 0) continue;
      } else if (got < 0 && errno == EAGAIN) {
        continue;
      }
      if (other < 0) continue;
      close(fd);
      close(other);
      peer[static_cast<std::size_t>(fd)] = peer[static_cast<std::size_t>(other)] = -1;
    }
  }
}
