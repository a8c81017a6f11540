// Sessions on a state store: found by their ticket, committed by the commit rule.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "http/cookies.h"
#include "session/lanes.h"
#include "session/slot.h"
#include "store/store.h"

namespace stateway::session {

/// The store's key of a session: its raw public id.
std::string key_of(const Ticket& ticket);

/// Thread-safe as far as its parts are. Must outlive its tasks.
class Sessions {
 public:
  Sessions(store::StateStore& store, const WallClock& clock, Random& random)
      : store_(store), clock_(clock), random_(random) {}

  /// The session of the first ticket among `cookies` that opens one of this kind; else a new one, with a
  /// ticket drawn for it and no record. Slides its idle expiry. `kind` must outlive the slot. Errors:
  /// store_unavailable; then nobody can tell whether the client has a session.
  io::Task<Result<Slot>> open(io::Loop& loop, const SessionOptions& kind, http::CookieValues cookies);

  /// Loads what is now the latest version into the slot, for another run of the exchange, and forgets its
  /// wishes. Errors: store_unavailable; session_ended, also when the slot's ticket was renewed meanwhile.
  io::Task<Result<void>> reload(io::Loop& loop, Slot& slot);

  /// The commit rule: applies what the slot wants to the latest committed version, in one durable step, and
  /// says in the slot what the client is to be told. Commits of one session queue up here (Lanes). Errors,
  /// nothing committed: those of rebase.h; session_ended when the session has gone meanwhile, or a
  /// renew comes after another one; sessions_full;
  /// conflict after kAttempts of other gateways' commits; lane_full when too many wait (lane_queue) or for
  /// too long (lane_wait); the store's.
  io::Task<Result<void>> commit(io::Loop& loop, Slot& slot, Overlap overlap);

  /// Sessions whose commits run or queue now.
  std::size_t lanes_busy() const { return lanes_.busy(); }

 private:
  static constexpr int kAttempts = 16;

  io::Task<Result<bool>> open_ticket(io::Loop& loop, Slot& slot, const Ticket& ticket);
  io::Task<Result<void>> load_into(io::Loop& loop, Slot& latest);
  void begin(Slot& slot);
  Result<store::Write> next_write(Slot& slot, const Slot& latest, Overlap overlap, const Ticket& ticket,
                                  SessionRecord& record);

  store::StateStore& store_;
  const WallClock& clock_;
  Random& random_;
  Lanes lanes_;
};

}  // namespace stateway::session
