// `stateway store migrate`.
#pragma once

#include <cstdio>

#include "stateway/cli.h"

namespace stateway {

/// Writes to `out`, and one sentence to `err` for what went wrong. Returns the exit code: kExitDone,
/// kExitFailed (the server does not answer), kExitBadUsage (the configuration, the password, rights).
int migrate_store(const Command& command, std::FILE* out = stdout, std::FILE* err = stderr);

}  // namespace stateway
