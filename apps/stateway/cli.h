// The command line: which command, on which configuration. Exit codes are those of every command of Stateway.
#pragma once

#include <cstdint>
#include <cstdio>
#include <expected>
#include <string>

namespace stateway {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;    // at run time
inline constexpr int kExitBadUsage = 2;  // of the command line or the configuration

struct Command {
  enum class What : std::uint8_t { run, check, version };

  What what = What::run;
  std::string config_path = "stateway.toml";
};

/// Reads the command line. When there is nothing left to do (--help) or it is wrong, the text is written to
/// `out` or one sentence to `err`, and the error is the exit code: kExitDone or kExitBadUsage. Main thread.
std::expected<Command, int> parse_command_line(int argc, const char* const* argv, std::FILE* out = stdout,
                                               std::FILE* err = stderr);

/// `stateway check`: reads the configuration at `path`, writes "ok" to `out`, or to `err` one line for every
/// problem; warnings go to `err` either way. Returns the exit code: kExitDone or kExitBadUsage.
int run_check(const std::string& path, std::FILE* out = stdout, std::FILE* err = stderr);

/// `stateway version`.
int print_version(std::FILE* out = stdout);

}  // namespace stateway
