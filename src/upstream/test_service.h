// For tests: a small HTTP service that the test binary itself becomes when it is started with --serve.
#pragma once

#include <string>
#include <vector>

#include "upstream/options.h"

namespace stateway::upstream::test {

/// Serves at SOCKET or PORT until it is killed: /healthz (503 while the file `sick` exists), /pid, /token.
/// Words behind --serve: sick=PATH, crash (exits with 7 at once), crash_if=PATH (if it exists), deaf (ignores
/// SIGTERM), slow_end (takes a moment to end), say=TEXT (printed first).
int serve(const std::vector<std::string>& words);

/// A service of `count` such processes.
ServiceOptions service_options(unsigned count, std::vector<std::string> words = {});

}  // namespace stateway::upstream::test
