// `stateway store copy|backup|restore`, through the admin API of the running gateway if there is one, else on
// the stores themselves.
#pragma once

#include <cstdio>

#include "stateway/cli.h"

namespace stateway {

/// Each writes to `out`, and one sentence to `err` for what went wrong. Returns the exit code: kExitDone,
/// kExitFailed (a store, a file or the gateway says no), kExitBadUsage.
int copy_store(const Command& command, std::FILE* out = stdout, std::FILE* err = stderr);
int back_up_store(const Command& command, std::FILE* out = stdout, std::FILE* err = stderr);
int restore_store(const Command& command, std::FILE* out = stdout, std::FILE* err = stderr);

}  // namespace stateway
