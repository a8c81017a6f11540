// Session records in a state store: opened by their ticket, committed by the commit rule.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "session/lanes.h"
#include "session/slot.h"
#include "store/store.h"

namespace stateway::session {

/// The store's key of a session: its raw public id.
std::string key_of(const Ticket& ticket);

/// Thread-safe as far as its parts are. Must outlive its tasks.
class Records {
 public:
  Records(store::StateStore& store, const WallClock& clock, Random& random)
      : store_(store), clock_(clock), random_(random) {}

  enum class Opened : std::uint8_t {
    none,     // the store knows nothing of the id
    live,     // the slot has ticket, version, record and principal
    refused,  // ended, of another kind, or the ticket has not the secret that opens it
  };
  /// Looks up what `ticket` names, of the slot's kind, and slides its idle expiry. Errors: store_unavailable;
  /// then nobody can tell whether the client has a session.
  io::Task<Result<Opened>> open(io::Loop& loop, Slot& slot, Ticket ticket);

  /// Loads what is now the latest version into the slot, for another run of the exchange, and forgets its
  /// wishes. Errors: store_unavailable; session_ended, also when the slot's ticket was renewed meanwhile.
  io::Task<Result<void>> reload(io::Loop& loop, Slot& slot);

  /// The commit rule: applies what the slot wants to the latest committed version, in one durable step;
  /// ticket, version and record of the slot are then those that were committed. A renew draws the ticket's
  /// new secret. Commits of one session queue up here (Lanes). Success also when the slot wants the end and
  /// somebody else was faster. Errors, nothing committed: those of rebase.h; session_ended when the session
  /// has gone meanwhile, or a renew comes after another one; sessions_full; conflict after kAttempts of other
  /// gateways' commits; lane_full when too many wait (lane_queue) or for too long (lane_wait); the store's.
  io::Task<Result<void>> commit(io::Loop& loop, Slot& slot, Overlap overlap);

  /// Sessions whose commits run or queue now.
  std::size_t lanes_busy() const { return lanes_.busy(); }

 private:
  static constexpr int kAttempts = 16;

  io::Task<Result<void>> load_into(io::Loop& loop, Slot& latest);
  Result<store::Write> next_write(Slot& slot, const Slot& latest, Overlap overlap, const Ticket& ticket,
                                  SessionRecord& record);

  store::StateStore& store_;
  const WallClock& clock_;
  Random& random_;
  Lanes lanes_;
};

}  // namespace stateway::session
