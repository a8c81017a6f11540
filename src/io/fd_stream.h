// Streams over file descriptors: sockets and pipes.
#pragma once

#include "io/epoll.h"
#include "io/stream.h"
#include "io/task.h"

namespace stateway::io {

class FdStream final : public Stream, private Watch {
 public:
  enum class Kind : unsigned char { tcp, unix_socket, file };  // file: pipes, pidfd, signalfd

  /// Takes over `fd`, which must be non-blocking. Registers it; CHECKs nothing: a failed registration shows
  /// as a failed read. `connecting`: a connect is in progress.
  FdStream(EpollLoop& loop, int fd, Kind kind, bool connecting = false);
  ~FdStream() override;

  Transfer try_read(std::span<char> into) override;
  Transfer try_write(std::span<const iovec> from) override;
  void shutdown_write() override;
  void abort() override;
  bool silent() override;
  void reset_on_close() override;
  int fd() const { return fd_; }

  /// Waits for the connect in progress. Result: nothing; timeout; io with the socket's error.
  Task<Result<void>> connected(TimePoint deadline);

 private:
  void on_events(std::uint32_t events) override;
  void want_write() override;

  EpollLoop& loop_;
  int fd_;
  Kind kind_;
  bool watched_;  // false: the system refused to watch it; reads and writes fail by their deadlines
  bool wants_write_;
  bool ended_ = false;  // the peer's side is over: every further read says so, none would block
};

}  // namespace stateway::io
