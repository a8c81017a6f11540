// For the tests of this module: raw peers at the other end of real sockets.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "io/fd_stream.h"
#include "io/sockets.h"
#include "io/test_loop.h"

namespace stateway::wire {

/// Two ends of one connection on one loop.
struct Pair {
  explicit Pair(io::EpollLoop& loop) {
    std::array<int, 2> ends;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
    ours = std::make_unique<io::FdStream>(loop, ends[0], io::FdStream::Kind::unix_socket);
    theirs = std::make_unique<io::FdStream>(loop, ends[1], io::FdStream::Kind::unix_socket);
  }
  std::unique_ptr<io::Stream> ours, theirs;
};

/// Sends `octets` in pieces of `piece`, each in a turn of the loop of its own, so that the peer reads them
/// one by one.
inline io::Task<void> send_in_pieces(io::Stream& to, std::string octets, std::size_t piece) {
  for (std::string_view rest = octets; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size()))) {
    const auto written = co_await to.write_all(rest.substr(0, piece), to.loop().now() + 10s);
    if (!written) co_return;
    co_await io::sleep_for(to.loop(), Duration(0));
    co_await io::sleep_for(to.loop(), Duration(0));
  }
}

/// Appends what comes to `out`, until the end or until `out` ends with `until` (if not empty).
inline io::Task<void> receive(io::Stream& from, std::string& out, std::string_view until = {}) {
  std::array<char, 4096> buffer;
  while (until.empty() || !out.ends_with(until)) {
    const auto n = co_await from.read_some(buffer, from.loop().now() + 10s);
    if (!n || *n == 0) co_return;
    out.append(buffer.data(), *n);
  }
}

}  // namespace stateway::wire
