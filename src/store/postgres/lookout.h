// Connecting once, at the start, to see whether the store can be used.
#pragma once

#include "store/options.h"
#include "store/postgres/greeting.h"
#include "store/postgres/target.h"

namespace stateway::store::postgres {

/// Connects and greets. Blocks, on a loop of its own. Errors: as Connection::open and greet.
Result<Facts> look_once(const Target& target, const StoreOptions& options);

}  // namespace stateway::store::postgres
