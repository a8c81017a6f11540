#include "io/sockets.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "io/fd_stream.h"

namespace stateway::io {
namespace {

void set_no_delay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

std::unexpected<Error> listen_failure(const Address& address, int error) {
  const char* hint = error == EADDRINUSE ? " (another process listens there)"
                     : error == EACCES   ? " (no permission: ports below 1024 need CAP_NET_BIND_SERVICE)"
                     : error == ENOENT   ? " (the folder does not exist)"
                                         : "";
  return fail(Code::invalid_argument, Side::self,
              "cannot listen on " + to_string(address) + ": " + std::strerror(error) + hint);
}

// A socket file outlives a killed process; only a live listener accepts.
bool is_stale_socket_file(const SocketAddress& to) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool refused = ::connect(fd, to.get(), to.size) != 0 && errno == ECONNREFUSED;
  close(fd);
  return refused;
}

std::unexpected<Error> connect_failure(const Address& to, std::string_view why, Side side = Side::upstream) {
  return fail(Code::connect_failed, side, to_string(to) + ": " + std::string(why), Retry::always);
}

// Whoever judges the other side's health must know what was only our shortage, and what may be only its load.
std::unexpected<Error> connect_failure(const Address& to, int error) {
  if (error == EAGAIN)
    return fail(Code::connect_timeout, Side::upstream, to_string(to) + ": its backlog is full",
                Retry::always);
  const bool ours =
      error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == EADDRNOTAVAIL;
  return connect_failure(to, std::strerror(error), ours ? Side::self : Side::upstream);
}

}  // namespace

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
  if (error != 0) return connect_failure(address, gai_strerror(error));
  std::vector<SocketAddress> out;
  for (const addrinfo* i = found; i != nullptr; i = i->ai_next) {
    SocketAddress& a = out.emplace_back();
    std::memcpy(&a.storage, i->ai_addr, i->ai_addrlen);
    a.size = i->ai_addrlen;
  }
  freeaddrinfo(found);
  return out;
}

Result<ListenSocket> ListenSocket::open(const Address& address, int backlog) {
  auto literal = literal_address(address);
  if (!literal) return pass_on(std::move(literal));
  if (!*literal) {
    auto resolved = resolve_blocking(address);
    if (!resolved || resolved->empty())
      return fail(Code::invalid_argument, Side::self,
                  "cannot listen on " + to_string(address) + ": unknown host name");
    *literal = resolved->front();
  }
  SocketAddress& bound = **literal;
  const int fd = socket(bound.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return listen_failure(address, errno);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  int outcome = bind(fd, bound.get(), bound.size);
  if (outcome != 0 && errno == EADDRINUSE && bound.family() == AF_UNIX && is_stale_socket_file(bound)) {
    unlink(address.path.c_str());
    outcome = bind(fd, bound.get(), bound.size);
  }
  if (outcome != 0 || listen(fd, backlog) != 0) {
    const int error = errno;
    close(fd);
    return listen_failure(address, error);
  }
  Address actual = address;
  if (bound.family() != AF_UNIX) {
    bound.size = sizeof bound.storage;
    CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&bound.storage), &bound.size) == 0);
    actual.port = ntohs(bound.family() == AF_INET ? reinterpret_cast<sockaddr_in&>(bound.storage).sin_port
                                                  : reinterpret_cast<sockaddr_in6&>(bound.storage).sin6_port);
  }
  return ListenSocket(fd, std::move(actual));
}

ListenSocket::ListenSocket(ListenSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), address_(std::move(other.address_)) {}

ListenSocket::~ListenSocket() {
  if (fd_ < 0) return;
  if (address_.kind == Address::Kind::unix_socket) unlink(address_.path.c_str());
  close(fd_);
}

SocketAcceptor::SocketAcceptor(EpollLoop& loop, const ListenSocket& socket) : loop_(loop), socket_(socket) {}

SocketAcceptor::~SocketAcceptor() { watch(false); }

// Level-triggered and exclusive: one loop wakes per connection. Not watched while nobody accepts (the gateway
// is full): the connection then waits in the backlog and another loop may take it.
void SocketAcceptor::watch(bool on) {
  if (std::exchange(watching_, on) == on) return;
  if (!on)
    loop_.remove(socket_.fd(), *this);
  else if (!loop_.add(socket_.fd(), EPOLLIN | EPOLLEXCLUSIVE, *this))
    watching_ = false;
}

class SocketAcceptor::Turn {
 public:
  explicit Turn(SocketAcceptor& a) : acceptor_(a) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { acceptor_.waiting_ = nullptr; }
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    acceptor_.waiting_ = h;
    acceptor_.watch(true);
  }
  void await_resume() const noexcept {}

 private:
  SocketAcceptor& acceptor_;
};

void SocketAcceptor::on_events(std::uint32_t) {
  if (!waiting_) return watch(false);
  std::exchange(waiting_, nullptr).resume();
}

Task<Result<Accepted>> SocketAcceptor::accept() {
  for (;;) {
    co_await Turn(*this);
    Result<Accepted> accepted = accept_now();
    if (accepted || accepted.error().code != Code::closed) co_return accepted;
  }
}

// Code::closed: no connection after all (another loop was faster, or the client gave up).
Result<Accepted> SocketAcceptor::accept_now() {
  SocketAddress peer;
  peer.size = sizeof peer.storage;
  const int fd = accept4(socket_.fd(), reinterpret_cast<sockaddr*>(&peer.storage), &peer.size,
                         SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
      return fail(Code::io, Side::self, std::strerror(errno));
    return fail(Code::closed);
  }
  const bool is_unix = socket_.address().kind == Address::Kind::unix_socket;
  if (!is_unix) set_no_delay(fd);
  Accepted out;
  out.stream =
      std::make_unique<FdStream>(loop_, fd, is_unix ? FdStream::Kind::unix_socket : FdStream::Kind::tcp);
  out.peer = host_text(peer.storage);
  return out;
}

namespace {

Task<Result<std::unique_ptr<Stream>>> connect_to(EpollLoop& loop, const Address& name, SocketAddress to,
                                                 TimePoint deadline) {
  const bool tcp = to.family() != AF_UNIX;
  const int fd = socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) co_return connect_failure(name, errno);
  if (tcp) set_no_delay(fd);
  const bool done = ::connect(fd, to.get(), to.size) == 0;
  if (!done && errno != EINPROGRESS) {  // EAGAIN: the backlog of a unix socket is full
    const int error = errno;
    close(fd);
    co_return connect_failure(name, error);
  }
  const auto kind = tcp ? FdStream::Kind::tcp : FdStream::Kind::unix_socket;
  auto stream = std::make_unique<FdStream>(loop, fd, kind, !done);
  if (!done) {
    const auto connected = co_await stream->connected(deadline);
    if (!connected && connected.error().code == Code::timeout)
      co_return fail(Code::connect_timeout, Side::upstream, to_string(name), Retry::always);
    if (!connected) co_return connect_failure(name, connected.error().context);
  }
  co_return std::unique_ptr<Stream>(std::move(stream));
}

}  // namespace

Task<Result<std::unique_ptr<Stream>>> SocketNetwork::connect(const Address& to, TimePoint deadline) {
  auto literal = literal_address(to);
  if (!literal) co_return connect_failure(to, literal.error().context);
  if (*literal) co_return co_await connect_to(loop_, to, **literal, deadline);

  // No deadline of its own: the resolver's time-outs (resolv.conf) bound it, and the wait can be cancelled.
  auto look_up = [to] { return resolve_blocking(to); };
  auto call = resolver_.run(loop_, std::move(look_up));
  Result<std::vector<SocketAddress>> found = co_await call;
  if (!found) co_return pass_on(std::move(found));
  Result<std::unique_ptr<Stream>> last = connect_failure(to, "the name has no address");
  for (const SocketAddress& candidate : *found) {
    last = co_await connect_to(loop_, to, candidate, deadline);
    if (last || last.error().code == Code::connect_timeout) break;
  }
  co_return last;
}

}  // namespace stateway::io
