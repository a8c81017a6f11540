// A program under observation: started, killed, waited for; its output in a file, so that nobody has to keep
// reading.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "io/process.h"

namespace stateway::lab {

/// Not thread-safe. Destroying it kills the process (SIGKILL) and reaps it; so does the end of the thread
/// that started it, however that ends.
class Program {
 public:
  struct Setup {
    std::vector<std::string> words;                                // program and arguments
    std::vector<std::pair<std::string, std::string>> environment;  // added to ours
    std::string output_file;                                       // stdout and stderr are appended to it
  };

  /// Errors: invalid_argument when it cannot be executed, io.
  static Result<std::unique_ptr<Program>> start(const Setup& setup);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;  // nothing once it was reaped
  bool running();
  /// Blocks the thread. Code::timeout after `limit`.
  Result<io::Exit> wait(Duration limit);

 private:
  explicit Program(pid_t pid) : pid_(pid) {}
  bool try_reap();

  pid_t pid_;
  bool reaped_ = false;
  io::Exit exit_;
};

/// Processes of this machine whose environment holds `entry` ("NAME=value") and that are no zombies: a
/// program and all it left behind, when it was started with a value nobody else has.
std::vector<pid_t> processes_with(std::string_view entry);

/// The whole file; empty when it cannot be read.
std::string read_file(const std::string& path);

}  // namespace stateway::lab
