// The origin as a program: listens on $SOCKET or on $PORT of 127.0.0.1, ends with SIGTERM.
#include <signal.h>

#include <cstdlib>
#include <iostream>

#include "io/signals.h"
#include "io/sockets.h"
#include "io/task_group.h"
#include "origin.h"

namespace {

using namespace stateway;

io::Task<void> accept_all(scenario::Origin& origin, io::Acceptor& acceptor, io::TaskGroup& connections) {
  for (;;) {
    auto accepted = co_await acceptor.accept();
    if (accepted) connections.spawn(scenario::serve_origin(origin, std::move(*accepted)));
  }
}

io::Task<void> stop_on_signal(io::EpollLoop& loop) {
  io::SignalSource signals(loop, {SIGTERM});
  co_await signals.next();
  loop.stop();
}

}  // namespace

int main() {
  io::block_signals({SIGTERM});
  const char* path = std::getenv("SOCKET");
  const char* port = std::getenv("PORT");
  const auto address =
      parse_address(path != nullptr ? std::string("unix:") + path
                                    : std::string("127.0.0.1:") + (port != nullptr ? port : "0"));
  const auto socket = address ? io::ListenSocket::open(*address) : fail(Code::invalid_argument);
  if (!socket) {
    std::cerr << "origin: " << socket.error().context << '\n';
    return 1;
  }
  std::cerr << "origin: listening on " << to_string(socket->address()) << '\n';
  io::EpollLoop loop;
  io::Worker resolver("resolver");
  io::SocketNetwork network(loop, resolver);
  scenario::Origin origin{.network = network, .gathered = io::WaitQueue(loop)};
  io::SocketAcceptor acceptor(loop, *socket);
  io::TaskGroup connections, tasks;
  tasks.spawn(accept_all(origin, acceptor, connections));
  tasks.spawn(stop_on_signal(loop));
  loop.run();
}
