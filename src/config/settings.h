// A configuration as lines that can be shown and compared: every key with what it is set to.
#pragma once

#include "config/checks.h"

namespace stateway::config {

/// All keys of all sections that there are, with their defaults where the file says nothing. What the
/// environment or a token file holds is not in it, and of values that may hold secrets (commands) only a
/// digest. `root` and `origins` have been read without a problem.
std::vector<Setting> settings_of(const Section& root, const Origins& origins);

}  // namespace stateway::config
