#include "io/guardian.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <utility>

namespace stateway::io {
namespace {

struct Message {  // shorter than PIPE_BUF: writes are atomic
  enum Kind : int { guard, release } kind;
  pid_t group;
};

[[noreturn]] void watch_over(int pipe, const std::string& folder) {
  prctl(PR_SET_NAME, "stateway-guard");
  // A terminal's Ctrl-C, `pkill stateway` or a service manager's stop is for the gateway; we end when it has
  // ended.
  setsid();
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) ::signal(number, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::set<pid_t> groups;
  Message message;
  for (;;) {
    const ssize_t n = read(pipe, &message, sizeof message);
    if (n < 0 && errno == EINTR) continue;
    if (n != static_cast<ssize_t>(sizeof message)) break;
    if (message.kind == Message::guard)
      groups.insert(message.group);
    else
      groups.erase(message.group);
  }
  for (const pid_t group : groups) kill(-group, SIGKILL);
  std::error_code ignored;
  if (!folder.empty()) std::filesystem::remove_all(folder, ignored);
  _exit(0);
}

void send(int pipe, Message message) {
  while (write(pipe, &message, sizeof message) < 0 && errno == EINTR) {
  }
}

}  // namespace

Result<Guardian> Guardian::start(const std::string& folder) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(Code::io, Side::self, std::strerror(errno));
  sigset_t all, before;  // nothing may reach the child before it has learned to ignore it
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = fork();
  if (pid != 0) pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) {
    close(ends[0]);
    close(ends[1]);
    return fail(Code::io, Side::self, std::strerror(errno));
  }
  if (pid == 0) {
    // Keep only the pipe: whoever waits for our parent's other descriptors to close must not
    // wait for us.
    if (dup2(ends[0], 3) < 0) _exit(1);
    close_range(4, ~0u, 0);
    const int null = open("/dev/null", O_RDWR);
    for (const int standard : {0, 1, 2}) {
      if (null < 0)
        close(standard);
      else
        dup2(null, standard);
    }
    watch_over(3, folder);
  }
  close(ends[0]);
  return Guardian(ends[1], pid);
}

Guardian::Guardian(Guardian&& other) noexcept
    : pipe_(std::exchange(other.pipe_, -1)), pid_(std::exchange(other.pid_, -1)) {}

Guardian::~Guardian() {
  if (pipe_ < 0) return;
  close(pipe_);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Guardian::guard_own_group() const { send(pipe_, {Message::guard, getpid()}); }
void Guardian::release(pid_t group) const { send(pipe_, {Message::release, group}); }

}  // namespace stateway::io
