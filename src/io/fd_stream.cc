#include "io/fd_stream.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace stateway::io {
namespace {

constexpr std::uint32_t kReadEvents = EPOLLIN | EPOLLRDHUP | EPOLLET;
constexpr std::uint32_t kEndEvents = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

Transfer failed(int error) {
  if (error == EAGAIN || error == EWOULDBLOCK) return {Transfer::State::again};
  return {Transfer::State::failed, 0, error};
}

}  // namespace

// A TCP socket asks for write edges from the start: they come only after a write was refused, so they cost
// nothing. A unix socket raises one each time its peer reads, so there they are asked for when a writer
// waits.
FdStream::FdStream(EpollLoop& loop, int fd, Kind kind, bool connecting)
    : Stream(loop),
      loop_(loop),
      fd_(fd),
      kind_(kind),
      watched_(false),
      wants_write_(kind == Kind::tcp || connecting) {
  watched_ = loop_.add(fd_, kReadEvents | (wants_write_ ? EPOLLOUT : 0u), *this).has_value();
  read_ready_ = !watched_;
}

FdStream::~FdStream() {
  loop_.remove(fd_, *this);
  close(fd_);
}

Transfer FdStream::try_read(std::span<char> into) {
  const ssize_t n =
      kind_ == Kind::file ? read(fd_, into.data(), into.size()) : recv(fd_, into.data(), into.size(), 0);
  if (n == 0) return {Transfer::State::end};
  if (n < 0) {
    const Transfer t = failed(errno);
    if (t.state == Transfer::State::again) read_ready_ = false;
    return t;
  }
  // A short read has emptied the socket, so the next edge is worth waiting for (epoll(7)).
  if (static_cast<std::size_t>(n) < into.size() && !ended_) read_ready_ = false;
  return {Transfer::State::ok, static_cast<std::size_t>(n)};
}

Transfer FdStream::try_write(std::span<const iovec> from) {
  ssize_t n;
  if (kind_ != Kind::file && from.size() == 1) {
    n = send(fd_, from[0].iov_base, from[0].iov_len, MSG_NOSIGNAL);  // cheaper than sendmsg, and usual
  } else if (kind_ == Kind::file) {
    n = writev(fd_, from.data(), static_cast<int>(from.size()));
  } else {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(from.data());
    message.msg_iovlen = from.size();
    n = sendmsg(fd_, &message, MSG_NOSIGNAL);
  }
  if (n < 0) return failed(errno);
  return {Transfer::State::ok, static_cast<std::size_t>(n)};
}

void FdStream::shutdown_write() {
  if (kind_ != Kind::file) ::shutdown(fd_, SHUT_WR);
}

void FdStream::abort() {
  if (kind_ != Kind::file) ::shutdown(fd_, SHUT_RDWR);
}

bool FdStream::silent() {
  char octet;
  return recv(fd_, &octet, 1, MSG_PEEK) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void FdStream::reset_on_close() {
  if (kind_ != Kind::tcp) return;
  const linger hard{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

Task<Result<void>> FdStream::connected(TimePoint deadline) {
  const auto edge = co_await next_write_edge(deadline);
  if (!edge) co_return edge;
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) co_return fail(Code::io, Side::self, std::strerror(error));
  co_return Result<void>{};
}

void FdStream::on_events(std::uint32_t events) {
  EpollLoop& loop = loop_;  // each notification may destroy this stream; the loop then serves nobody
  Watch* const self = this;
  const bool ends = (events & kEndEvents) != 0;
  if (ends) ended_ = hung_up_ = true;
  if (ends || (events & EPOLLIN) != 0) {
    notify_readable();
    if (!loop.serving(self)) return;
  }
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
    notify_writable();
    if (!loop.serving(self)) return;
  }
  if (wants_write_ && kind_ != Kind::tcp && !writer_waits()) {
    wants_write_ = false;
    loop.modify(fd_, kReadEvents, *this);
  }
  if (ends) notify_hangup();
}

void FdStream::want_write() {
  if (wants_write_ || !watched_) return;
  wants_write_ = true;
  loop_.modify(fd_, kReadEvents | EPOLLOUT, *this);
}

}  // namespace stateway::io
