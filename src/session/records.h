// The latest version of each session, wherever it lives, and the commit rule that makes the next one.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "session/barred_ids.h"
#include "session/counts.h"
#include "session/lanes.h"
#include "session/recent_versions.h"
#include "session/slot.h"
#include "store/store.h"

namespace stateway::session {

/// The store's key of a session: its raw public id.
std::string key_of(const Ticket& ticket);

/// What decides which version is the latest:
/// - A live record is the truth. One that `moved` says that its cookie, or an instance, has the truth from
/// that
///   revision on; it keeps the document of that version for clients that never got the cookie. An ended one
///   is the end.
/// - Of a session in cookies, this process keeps the last version for a while (RecentVersions): an older
///   cookie yields to it.
/// Every change of place, every renew and every end is one conditional write on the record, so that of two
/// gateways one wins and the other follows.
/// Thread-safe as far as its parts are. Must outlive its tasks.
class Records {
 public:
  /// `overlap_bytes_max`: of RecentVersions.
  Records(store::StateStore& store, const WallClock& clock, Random& random, Counts& counts,
          std::size_t overlap_bytes_max)
      : store_(store),
        clock_(clock),
        random_(random),
        counts_(counts),
        recent_(overlap_bytes_max),
        gateway_(random.u64() | 1) {}

  enum class Opened : std::uint8_t {
    none,     // a ticket for which there is no record
    found,    // the slot has the latest version and its principal
    refused,  // ended, of another kind, or the ticket has not the secret that opens it
  };
  /// Brings the slot, which has kind, ticket, `brought`, and what its cookie holds, to the latest version,
  /// and slides the record's idle expiry. Errors: store_unavailable; then nobody can tell whether the client
  /// has a session.
  io::Task<Result<Opened>> open(io::Loop& loop, Slot& slot);

  /// The latest version into the slot, for another run of the exchange; forgets its wishes. Errors:
  /// store_unavailable; session_ended, also when the slot's ticket was renewed meanwhile.
  io::Task<Result<void>> reload(io::Loop& loop, Slot& slot);

  /// The commit rule: applies what the slot wants to the latest version, and brings the session to where its
  /// placement wants it, in one durable step; ticket, version, record and principal of the slot are then
  /// those that were committed. Where the session stays in its cookie there is no step but the cookie itself.
  /// A renew draws the ticket's new secret. Commits of one session queue up here (Lanes). Success also when
  /// the slot wants the end and somebody else was faster. Errors, nothing committed: those of rebase.h;
  /// session_ended when the session has gone or was renewed meanwhile, or has left its instance;
  /// sessions_full; conflict after kAttempts of other gateways' commits; lane_full when too many wait
  /// (lane_queue) or for too long (lane_wait); the store's, of which not_durable is not "nothing": then it is
  /// committed, and the slot says so.
  io::Task<Result<void>> commit(io::Loop& loop, Slot& slot, Overlap overlap);

  /// See Sessions::still_at_instance.
  io::Task<Result<void>> still_at_instance(io::Loop& loop, const Slot& slot);

  /// A session in an instance's memory that its cookies must not open any more although no record says so.
  void bar(const Slot& slot) {
    barred_.add(std::string(slot.ticket.id_text()), slot.record.absolute_expires, clock_.now());
  }

  /// Where the slot's session would be kept with this document: as its placement says, except that placement
  /// client keeps in the store what no cookie holds.
  static Home home_for(const Slot& slot, Home now, std::size_t principal_bytes, std::size_t document_bytes);

  /// Sessions whose commits run or queue now.
  std::size_t lanes_busy() const { return lanes_.busy(); }
  const RecentVersions& recent() const { return recent_; }

 private:
  static constexpr int kAttempts = 16;

  bool is_barred(const Slot& slot) const {
    return slot.record.home == Home::instance && barred_.contains(slot.ticket.id_text());
  }

  struct Step;
  Result<void> take_record(Slot& slot, const std::optional<store::Record>& stored);
  static void take_recent(Slot& slot, const RecentVersionPtr& recent);
  io::Task<Result<std::optional<store::Record>>> load(io::Loop& loop, Slot& slot);
  void slide(io::Loop& loop, const Slot& slot, const store::Record& stored);
  store::CommitId next_commit();
  io::Task<Result<void>> find_latest(io::Loop& loop, Slot& latest);
  static Result<void> meet(const Slot& slot, const Slot& latest);
  Result<Step> next_step(Slot& slot, const Slot& latest, Overlap overlap, const Ticket& ticket);
  void finish(Slot& slot, const Slot& latest, store::Revision stored, const Ticket& ticket, Step step);

  store::StateStore& store_;
  const WallClock& clock_;
  Random& random_;
  Counts& counts_;
  Lanes lanes_;
  RecentVersions recent_;
  BarredIds barred_;
  const std::uint64_t gateway_;  // of the commits' ids
  std::atomic<std::uint64_t> commits_{0};
};

}  // namespace stateway::session
