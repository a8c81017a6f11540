// `stateway key list|rotate`, through the admin API of the running gateway if there is one, else on the file.
#pragma once

#include <cstdio>

#include "stateway/cli.h"

namespace stateway {

/// Each writes to `out`, and one sentence to `err` for what went wrong. Returns the exit code: kExitDone,
/// kExitFailed (the file or the gateway says no), kExitBadUsage.
int list_keys(const Command& command, std::FILE* out = stdout, std::FILE* err = stderr);
int rotate_keys(const Command& command, std::FILE* out = stdout, std::FILE* err = stderr);

}  // namespace stateway
