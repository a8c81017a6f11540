// The file that keys are kept in.
#pragma once

#include <chrono>
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

/// Adds a key to the file and takes out those that are retired where sessions live for `lifetime` at most
/// (KeySet::rotated). Whoever reads meanwhile sees the old file or the new one; owner, group and mode stay.
/// Several may do this at once, in any processes of one machine: one waits for the other (flock), and no key
/// is lost. What is written is on disk when this returns. Blocks, up to two seconds while another one holds
/// the lock. Errors: as read_key_file; conflict, when the lock is not to be had.
Result<Rotation> rotate_key_file(const std::string& path, WallMillis now, std::chrono::milliseconds lifetime,
                                 Random& random);

}  // namespace stateway::session
