// The command line: which command, and what it is told. Exit codes are those of every command of Stateway.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stateway {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;    // at run time
inline constexpr int kExitBadUsage = 2;  // of the command line, the configuration or its store

/// Which gateway's admin API a command calls.
struct AdminChoice {
  std::optional<std::string> address;     // --admin; else the configuration says it
  std::optional<std::string> token_file;  // --token-file; likewise
};

struct Command {
  enum class What : std::uint8_t {
    run,
    check,
    version,
    session_list,
    session_show,
    session_end,
    key_list,
    key_rotate,
    store_migrate,
    store_copy,
    store_backup,
    store_restore,
  };

  What what = What::run;
  std::string config_path = "stateway.toml";
  AdminChoice admin;
  bool json = false;             // what the admin API says, in place of words
  bool effect = false;           // check
  std::string principal;         // session list: of these alone; empty: all
  std::string kind;              // likewise
  std::size_t limit = 0;         // of the list; 0: all
  std::vector<std::string> ids;  // of sessions to show or end
  std::string from, to;          // store copy: URLs or directories; empty: the configuration says them
  std::string file;              // store backup, store restore
};

/// Reads the command line. When there is nothing left to do (--help) or it is wrong, the text is written to
/// `out` or one sentence to `err`, and the error is the exit code: kExitDone or kExitBadUsage. Main thread.
std::expected<Command, int> parse_command_line(int argc, const char* const* argv, std::FILE* out = stdout,
                                               std::FILE* err = stderr);

/// Whether `text` looks like a session's public id: 16 characters of base64url.
bool is_session_id(std::string_view text);

/// `stateway version`.
int print_version(std::FILE* out = stdout);

}  // namespace stateway
