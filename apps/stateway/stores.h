// The store that a configuration names.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "store/options.h"
#include "store/store.h"

namespace stateway {

/// Opens it; blocks. Errors: invalid_argument, with a sentence for the operator. `clock` must outlive the
/// store.
Result<std::unique_ptr<store::StateStore>> open_store(const store::StoreOptions& options,
                                                      const WallClock& clock);

/// That these are not one store under two names: no session can move then. Blocks; connects. False: nobody
/// can tell now, since one of them cannot be reached. Errors: invalid_argument: they are one.
Result<bool> known_as_two(const store::StoreOptions& next, const store::StoreOptions& previous,
                          const WallClock& clock);

/// "embedded at var/state", "memory", "redis". Never a url: that may hold a password.
std::string name_of(const store::StoreOptions& options);

}  // namespace stateway
