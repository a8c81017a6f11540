// TCP and unix sockets on the epoll loop.
#pragma once

#include "io/epoll.h"
#include "io/network.h"
#include "io/resolver.h"
#include "io/socket_address.h"

namespace stateway::io {

/// One listening socket, shared by the acceptors of all loops (so that closing one loop's acceptor loses
/// nothing from the backlog). Immutable after open; may be used by several threads. Closing a unix one
/// removes its file.
class ListenSocket {
 public:
  /// Binds and listens. Port 0: the system chooses, see address(). A unix path that nobody listens on any
  /// more is taken over. Errors: Code::invalid_argument for what an operator must fix (in use, no permission,
  /// bad name), with the address and reason in the context.
  static Result<ListenSocket> open(const Address& address, int backlog = 4096);
  ListenSocket(ListenSocket&& other) noexcept;
  ListenSocket& operator=(ListenSocket&&) = delete;
  ~ListenSocket();

  const Address& address() const { return address_; }
  int fd() const { return fd_; }

 private:
  ListenSocket(int fd, Address address) : fd_(fd), address_(std::move(address)) {}
  int fd_;
  Address address_;
};

class SocketAcceptor final : public Acceptor, private Watch {
 public:
  /// `socket` must outlive the acceptor.
  SocketAcceptor(EpollLoop& loop, const ListenSocket& socket);
  ~SocketAcceptor() override;
  Task<Result<Accepted>> accept() override;

 private:
  class Turn;
  void on_events(std::uint32_t) override;
  Result<Accepted> accept_now();
  void watch(bool on);

  EpollLoop& loop_;
  const ListenSocket& socket_;
  bool watching_ = false;
  std::coroutine_handle<> waiting_;
};

class SocketNetwork final : public Network {
 public:
  /// Names are looked up on `worker`; both must outlive the network.
  SocketNetwork(EpollLoop& loop, Worker& worker) : loop_(loop), resolver_(loop, worker) {}
  Task<Result<std::unique_ptr<Stream>>> connect(const Address& to, TimePoint deadline) override;
  Task<Result<std::vector<Address>>> resolve(Address name, TimePoint deadline) override;

 private:
  EpollLoop& loop_;
  Resolver resolver_;
};

}  // namespace stateway::io
