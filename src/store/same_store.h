// Whether two stores are one under two names: nothing can move then, and a move would eat what it moves.
#pragma once

#include "store/store.h"

namespace stateway::store {

/// Leaves an empty mark (moved_on.h) of a key that nobody has in `a`, looks for it in `b`, and erases it. One
/// that a crash leaves expires at `expires_at`. By trying, since names tell nothing: a password changes, a
/// host has several names; and since what a store says of itself is the same in a copy of it.
/// Errors: those of either store; then it is not known.
io::Task<Result<bool>> are_one(io::Loop& loop, StateStore& a, StateStore& b, WallMillis expires_at);

}  // namespace stateway::store
