#include "io/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "io/exec_image.h"
#include "io/fd_stream.h"

namespace stateway::io {
namespace {

struct Pipe {
  int read = -1;
  int write = -1;
  ~Pipe() {
    if (read >= 0) close(read);
    if (write >= 0) close(write);
  }
  bool open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    read = ends[0];
    write = ends[1];
    return true;
  }
};

}  // namespace

Result<std::unique_ptr<Process>> Process::start(EpollLoop& loop, const Command& command,
                                                const Guardian* guardian) {
  ExecImage image(command.words, command.environment);
  Pipe output, report;
  if (!output.open() || !report.open()) return fail(Code::io, Side::self, std::strerror(errno));
  const pid_t pid = fork();
  if (pid < 0) return fail(Code::io, Side::self, std::strerror(errno));
  if (pid == 0) {
    setpgid(0, 0);
    if (guardian != nullptr) guardian->guard_own_group();
    image.become(output.write, report.write);
  }
  setpgid(pid, pid);  // whoever of us two comes first

  close(std::exchange(report.write, -1));
  int error = 0;  // exec closes the pipe; a failed exec writes errno first
  ssize_t n;
  do n = read(report.read, &error, sizeof error);
  while (n < 0 && errno == EINTR);
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (n > 0 || pidfd < 0) {
    if (n <= 0) error = errno;
    kill(-pid, SIGKILL);
    if (guardian != nullptr) guardian->release(pid);
    waitpid(pid, nullptr, 0);
    return fail(Code::invalid_argument, Side::self,
                "cannot start '" + command.words.front() + "': " + std::strerror(error));
  }
  fcntl(output.read, F_SETFL, O_NONBLOCK);
  return std::unique_ptr<Process>(new Process(loop, pid, pidfd, std::exchange(output.read, -1), guardian));
}

Process::Process(EpollLoop& loop, pid_t pid, int pidfd, int output, const Guardian* guardian)
    : pid_(pid),
      guardian_(guardian),
      ended_(std::make_unique<FdStream>(loop, pidfd, FdStream::Kind::file)),
      output_(std::make_unique<FdStream>(loop, output, FdStream::Kind::file)) {}

Process::~Process() {
  if (!reaped_) reap();
}

void Process::signal(int number) const {
  if (!reaped_) kill(-pid_, number);
}

Exit Process::reap() {
  kill(-pid_, SIGKILL);  // the leader is a zombie or dies now; until it is reaped the group's number is ours
  if (guardian_ != nullptr) guardian_->release(pid_);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  reaped_ = true;
  if (WIFSIGNALED(status))
    exit_.signal = WTERMSIG(status);
  else
    exit_.status = WEXITSTATUS(status);
  return exit_;
}

Task<Result<Exit>> Process::exited(TimePoint deadline) {
  if (reaped_) co_return exit_;
  const auto ready = co_await ended_->readable(deadline);
  if (!ready) co_return fail(Code::timeout);
  co_return reap();
}

}  // namespace stateway::io
