// The only place that names concrete stores, policies, loops and threads, and joins them to a running
// gateway.
#pragma once

#include <string>

#include "config/config.h"

namespace stateway {

/// `stateway run`: serves until SIGTERM or SIGINT, then drains. `configuration` was loaded from `path`, which
/// a reload reads again. Returns the exit code: kExitDone, kExitFailed
/// (one sentence on standard error), or kExitBadUsage for what the configuration must fix (an address in use,
/// a store that does not open). Call once, from the main thread, before there are others.
int run_gateway(const std::string& path, config::Config configuration);

}  // namespace stateway
