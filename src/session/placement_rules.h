// What a placement decides: which session a cookie opens, how it is kept, and what the client gets for it.
#pragma once

#include <string_view>

#include "base/error.h"
#include "io/task.h"
#include "session/slot.h"

namespace stateway::session {

/// Sessions chooses by placement.
/// Thread-safe; must outlive its tasks.
class PlacementRules {
 public:
  virtual ~PlacementRules() = default;

  /// Fills the slot, of which only kind and came_by_tls are set, with the session that the cookie's value
  /// opens. False: it opens none, and the slot is of no use. Errors: store_unavailable; then nobody can tell.
  virtual io::Task<Result<bool>> open(io::Loop& loop, Slot& slot, std::string_view cookie) = 0;
  /// Fills the slot, of which only kind and came_by_tls are set, with a new session, which nothing is kept of
  /// before its commit.
  virtual void begin(Slot& slot) = 0;
  /// The latest version, for another run of the exchange; see Records::reload.
  virtual io::Task<Result<void>> reload(io::Loop& loop, Slot& slot) = 0;
  /// Makes durable what the slot wants, and says in it what the client is to be told. Called when
  /// slot.wants_commit(). Errors, nothing committed: see Records::commit.
  virtual io::Task<Result<void>> commit(io::Loop& loop, Slot& slot, Overlap overlap) = 0;
};

}  // namespace stateway::session
