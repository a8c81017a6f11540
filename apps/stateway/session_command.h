// `stateway session list|show|end`, through the admin API of a running gateway.
#pragma once

#include <cstdio>

#include "stateway/cli.h"

namespace stateway {

/// Each writes what it found to `out`, and one sentence to `err` for whatever went wrong. Returns the exit
/// code: kExitDone, kExitFailed (no gateway, no such session), kExitBadUsage.
int list_sessions(const Command& command, std::FILE* out = stdout, std::FILE* err = stderr);
int show_session(const Command& command, std::FILE* out = stdout, std::FILE* err = stderr);
/// Goes on with the others when one cannot be ended.
int end_sessions(const Command& command, std::FILE* out = stdout, std::FILE* err = stderr);

}  // namespace stateway
