// How a record says that its session has moved on to another store (docs/decisions/0011-moving-stores.md): a
// mark takes its place in the store that it leaves, so that who knows that store alone neither serves nor
// overwrites it.
#pragma once

#include <optional>
#include <vector>

#include "io/task.h"
#include "store/store.h"

namespace stateway::store {

/// A mark is a `moved` record whose value begins with a zero octet. What a session module writes begins with
/// its version, from 1, and an empty value is none either.
bool has_moved_on(const Record& record);

/// The mark that takes the place of `record`, at the next revision, and carries all of it: whoever finds the
/// mark can finish the move.
Record carrying_mark(const Record& record);
/// What such a mark carries: the record as it was, unless it was touched since. nullopt for an empty mark.
std::optional<Record> carried_by(const Record& mark);
/// The mark that stays, at this revision, when the next store has the record, or had it first.
Record empty_mark(Revision revision, WallMillis expires_at);

/// `store.list`, with what marks carry in their place and without those that carry nothing.
io::Task<Result<std::vector<Entry>>> list_sessions(io::Loop& loop, StateStore& store, Query query);

}  // namespace stateway::store
