// [store] kind = "redis": which servers its URL names, and whether they can be used.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/error.h"
#include "store/options.h"
#include "store/store.h"

namespace stateway {

/// Connects; blocks for [store] timeout at most. One that is away now may be used where commits can wait for
/// it (on_outage = "journal"). Errors: invalid_argument, with a sentence for the operator. `clock` must
/// outlive the store.
Result<std::unique_ptr<store::StateStore>> open_redis(const store::StoreOptions& options,
                                                      const WallClock& clock);

}  // namespace stateway
