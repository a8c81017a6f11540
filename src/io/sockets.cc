#include "io/sockets.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
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
  void await_suspend(std::coroutine_handle<> h) { acceptor_.waiting_ = h; }
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
    watch(true);
    if (!watching_) co_return fail(Code::io, Side::self, "the system refuses to watch the listening socket");
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

  Result<std::vector<SocketAddress>> found = co_await resolver_.resolve(to, deadline);
  if (!found) co_return pass_on(std::move(found));
  Result<std::unique_ptr<Stream>> last = fail(Code::internal);  // there is at least one address
  for (const SocketAddress& candidate : *found) {
    last = co_await connect_to(loop_, to, candidate, deadline);
    if (last || last.error().code == Code::connect_timeout) break;
  }
  co_return last;
}

Task<Result<std::vector<Address>>> Network::resolve(Address name, TimePoint) {
  std::vector<Address> itself{std::move(name)};
  co_return itself;
}

Task<Result<std::vector<Address>>> SocketNetwork::resolve(Address name, TimePoint deadline) {
  auto literal = literal_address(name);
  if (!literal || *literal) co_return co_await Network::resolve(name, deadline);
  Result<std::vector<SocketAddress>> found = co_await resolver_.resolve(name, deadline);
  if (!found) co_return pass_on(std::move(found));
  std::vector<Address> out;
  for (const SocketAddress& address : *found) {
    if (address.family() != found->front().family() || out.size() == kAddressesMax) continue;
    out.push_back({.host = host_text(address.storage), .port = name.port});
  }
  std::ranges::sort(out, {}, &Address::host);
  const auto same = std::ranges::unique(out);
  out.erase(same.begin(), same.end());
  co_return out;
}

}  // namespace stateway::io
