#include "io/signals.h"

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "io/fd_stream.h"

namespace stateway::io {
namespace {

sigset_t set_of(std::initializer_list<int> numbers) {
  sigset_t set;
  sigemptyset(&set);
  for (const int n : numbers) sigaddset(&set, n);
  return set;
}

}  // namespace

void block_signals(std::initializer_list<int> numbers) {
  const sigset_t set = set_of(numbers);
  CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  ::signal(SIGPIPE, SIG_IGN);
}

SignalSource::SignalSource(EpollLoop& loop, std::initializer_list<int> numbers) {
  const sigset_t set = set_of(numbers);
  const int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  CHECK(fd >= 0);
  stream_ = std::make_unique<FdStream>(loop, fd, FdStream::Kind::file);
}

Task<int> SignalSource::next() {
  signalfd_siginfo info;
  const auto read =
      co_await stream_->read_some(std::span(reinterpret_cast<char*>(&info), sizeof info), kNoDeadline);
  CHECK(read && *read == sizeof info);
  co_return static_cast<int>(info.ssi_signo);
}

}  // namespace stateway::io
