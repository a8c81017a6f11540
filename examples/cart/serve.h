// A program around a wire::Handler: listens where the gateway says, and ends when it says so.
#pragma once

#include <signal.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "io/epoll.h"
#include "io/signals.h"
#include "io/sockets.h"
#include "wire/server.h"

namespace stateway::example {

inline std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// The gateway gives each instance it starts SOCKET or PORT.
inline Result<Address> listen_address() {
  const std::string socket = environment("SOCKET");
  return parse_address(socket.empty() ? "127.0.0.1:" + environment("PORT") : "unix:" + socket);
}

inline io::Task<void> serve(io::EpollLoop& loop, wire::Handler& handler, const io::ListenSocket& socket) {
  io::SignalSource signals(loop, {SIGTERM, SIGINT});
  io::SocketAcceptor acceptor(loop, socket);
  // The gateway's limits.head for what clients send, and beside it a document of inline_max octets.
  wire::Server server(loop, handler, {.head = {.head_bytes_max = 128 * 1024}});
  io::TaskGroup accepting;
  accepting.spawn(server.accept_from(acceptor));
  co_await signals.next();
  accepting.cancel_all();
  server.drain();
  co_await server.drained();
  loop.stop();
}

/// Serves until SIGTERM or SIGINT, then answers what has arrived and ends. `make(loop, network)` returns the
/// handler, as a pointer that owns it. Returns main's status.
template <class Make>
int run_service(std::string_view name, const Make& make) {
  io::block_signals({SIGTERM, SIGINT});
  const auto address = listen_address();
  const auto socket = address ? io::ListenSocket::open(*address)
                              : fail(Code::invalid_argument, Side::self, "set PORT or SOCKET");
  if (!socket) {
    std::cerr << name << ": " << socket.error().context << '\n';
    return 1;
  }
  io::EpollLoop loop;
  io::Worker resolver("resolver");
  io::SocketNetwork network(loop, resolver);
  const std::unique_ptr<wire::Handler> handler = make(loop, network);
  io::TaskGroup tasks;
  tasks.spawn(serve(loop, *handler, *socket));
  std::cerr << name << ": listening on " << to_string(socket->address()) << '\n';
  loop.run();
  return 0;
}

}  // namespace stateway::example
