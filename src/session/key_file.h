// The file that keys are kept in.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "session/key_set.h"

namespace stateway::session {

/// Reads the file. Blocks. Errors: not_found; invalid_argument when it is no key file, or when users other
/// than its owner and group may read it or others than its owner may write it; io. The context names the
/// file and what to do, and holds no key.
Result<KeySet> read_key_file(const std::string& path);

/// Reads the file; where there is none, makes it, with one key, mode 0600, and its folder (0700). Several
/// gateways may do this at once: all get the keys of the one that came first, and nobody ever sees half a
/// file. What is made is on disk when this returns. Blocks. Errors: as read_key_file, but for not_found.
Result<KeySet> read_or_make_key_file(const std::string& path, const WallClock& clock, Random& random);

}  // namespace stateway::session
