// What a child becomes: prepared before the fork, because after it only async-signal-safe calls are allowed.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace stateway::io {

class ExecImage {
 public:
  /// `words`: the program, looked up in PATH, and its arguments. `added` replaces or extends our environment.
  ExecImage(std::vector<std::string> words, const std::vector<std::pair<std::string, std::string>>& added);
  ExecImage(const ExecImage&) = delete;
  ExecImage& operator=(const ExecImage&) = delete;

  /// In the child: default signals, nothing on standard input, `output` as standard output and error, then
  /// exec. If that fails, errno is written to `report`, which should be close-on-exec, and the child exits
  /// with 127.
  [[noreturn]] void become(int output, int report);

 private:
  std::vector<std::string> words_, environment_;
  std::vector<char*> argv_, envp_;  // into those, with the null at the end
};

}  // namespace stateway::io
