// `stateway check`.
#pragma once

#include <cstdio>

#include "stateway/cli.h"

namespace stateway {

/// Reads the configuration, writes "ok" to `out`, or to `err` one line for every problem; warnings go to
/// `err` either way. With --effect: what a reload of the running gateway would change, in words, which only
/// asks that gateway. Returns the exit code: kExitDone, kExitFailed (no gateway to compare with),
/// kExitBadUsage.
int run_check(const Command& command, std::FILE* out = stdout, std::FILE* err = stderr);

}  // namespace stateway
