// What every store asks of a batch before it looks at its conditions.
#pragma once

#include "store/store.h"

namespace stateway::store {

inline constexpr std::size_t kKeyBytesMax = 256;

/// Errors: Code::internal for a batch no caller should build: empty; a key that is empty, too long or there
/// twice; a revision that is not greater than expected; an expiry before 1970. Pure; any thread.
Result<void> check_batch(const Batch& batch);

}  // namespace stateway::store
