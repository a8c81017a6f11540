// A child process in a process group of its own, its output as a stream.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "io/epoll.h"
#include "io/guardian.h"
#include "io/stream.h"
#include "io/task.h"

namespace stateway::io {

struct Command {
  std::vector<std::string> words;                                // program (looked up in PATH) and arguments
  std::vector<std::pair<std::string, std::string>> environment;  // added to ours
};

/// How a process ended: an exit status, or the signal that killed it (0: none).
struct Exit {
  int status = 0;
  int signal = 0;
};

/// Bound to its loop. Destroying it kills the whole group (SIGKILL) and reaps the leader.
class Process {
 public:
  /// Starts `command` with no standard input and its standard output and error joined in output().
  /// Signals are reset, no other descriptor is inherited. With a guardian the group is registered before
  /// exec. Errors: Code::invalid_argument when the program cannot be executed (with the reason), Code::io.
  static Result<std::unique_ptr<Process>> start(EpollLoop& loop, const Command& command,
                                                const Guardian* guardian);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  Stream& output() { return *output_; }
  /// Sends to the whole group; nothing once the leader was reaped.
  void signal(int number) const;
  /// Waits for the leader's end, kills what is left of its group, reaps. Code::timeout at the deadline.
  Task<Result<Exit>> exited(TimePoint deadline);

 private:
  Process(EpollLoop& loop, pid_t pid, int pidfd, int output, const Guardian* guardian);
  Exit reap();

  pid_t pid_;
  const Guardian* guardian_;
  std::unique_ptr<Stream> ended_;  // the pidfd: readable when the leader has ended
  std::unique_ptr<Stream> output_;
  bool reaped_ = false;
  Exit exit_;
};

}  // namespace stateway::io
