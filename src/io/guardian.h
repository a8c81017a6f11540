// A small process that outlives the gateway by a moment: when the gateway dies, however it dies, the guardian
// kills the process groups of the instances the gateway had started and removes its runtime folder.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/error.h"

namespace stateway::io {

/// Forks the guardian. It learns of groups through a pipe and acts at the pipe's end of file, which the
/// kernel delivers even after SIGKILL.
class Guardian {
 public:
  /// `folder` (may be empty) is removed with what is in it. Call before the program has other threads.
  /// Errors: Code::io.
  static Result<Guardian> start(const std::string& folder);
  Guardian(Guardian&& other) noexcept;
  Guardian& operator=(Guardian&&) = delete;
  /// Ends the guardian (it sees end of file and does its work) and reaps it.
  ~Guardian();

  pid_t pid() const { return pid_; }

  /// For the child between fork and exec: registers its own group, so that no moment is unguarded.
  /// Async-signal-safe.
  void guard_own_group() const;
  /// The group is gone and its number may be reused: call after killing what is left of it, before reaping
  /// its leader.
  void release(pid_t group) const;

 private:
  Guardian(int fd, pid_t pid) : pipe_(fd), pid_(pid) {}
  int pipe_;
  pid_t pid_;
};

}  // namespace stateway::io
