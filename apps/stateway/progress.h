// How far long work is, on one line of a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace stateway {

/// Says nothing where `out` is no terminal. The line is gone with it.
class Progress {
 public:
  /// `what` is counted: "records".
  Progress(std::FILE* out, std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `all` 0: nobody knows. Shown a few times a second at most.
  void show(std::uint64_t done, std::uint64_t all);

 private:
  std::FILE* const out_;
  const std::string what_;
  const bool terminal_;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace stateway
