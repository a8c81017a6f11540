// TCP and unix sockets on the epoll loop.
#pragma once

#include <sys/socket.h>

#include <optional>

#include "io/epoll.h"
#include "io/network.h"
#include "io/worker.h"

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
  /// `resolver` runs getaddrinfo for names; both must outlive the network.
  SocketNetwork(EpollLoop& loop, Worker& resolver) : loop_(loop), resolver_(resolver) {}
  Task<Result<std::unique_ptr<Stream>>> connect(const Address& to, TimePoint deadline) override;

 private:
  EpollLoop& loop_;
  Worker& resolver_;
};

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
