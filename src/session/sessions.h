// Sessions of every kind, each by the rules of its placement.
#pragma once

#include "http/cookies.h"
#include "session/counts.h"
#include "session/document_rules.h"
#include "session/instance_rules.h"
#include "session/records.h"

namespace stateway::session {

/// Thread-safe as far as its parts are. Must outlive its tasks.
class Sessions {
 public:
  /// `keys` must be in use (KeyRing::use) before the first session is opened.
  Sessions(store::StateStore& store, KeyRing& keys, const WallClock& clock, Random& random,
           std::size_t overlap_bytes_max = 64 * 1024 * 1024)
      : store_(store),
        cookies_(keys, clock),
        records_(store, clock, random, counts_, overlap_bytes_max),
        documents_(records_, cookies_, random, counts_),
        instance_(records_, cookies_, clock, random) {}

  /// The session that the first fit one of `cookies` opens, or a new one of which nothing is kept yet.
  /// `cookies` are those named cookie_name(kind, came_by_tls). `kind` must outlive the slot. Errors:
  /// store_unavailable; then nobody can tell whether the client has a session.
  io::Task<Result<Slot>> open(io::Loop& loop, const SessionOptions& kind, bool came_by_tls,
                              http::CookieValues cookies);
  /// See PlacementRules::reload.
  io::Task<Result<void>> reload(io::Loop& loop, Slot& slot) { return rules(slot).reload(loop, slot); }
  /// See PlacementRules::commit.
  io::Task<Result<void>> commit(io::Loop& loop, Slot& slot, Overlap overlap) {
    return rules(slot).commit(loop, slot, overlap);
  }
  /// The slot's session for this exchange alone (Lane::serial): waits until all that came before have ended
  /// their turns, as lane_queue and lane_wait allow; also those at other gateways, in no order among
  /// gateways, when the session is in a store that several share. A turn is no commit's lane, so its holder
  /// may commit. What the slot was given may be outdated by now: reload. Errors: lane_full;
  /// store_unavailable.
  io::Task<Result<Turn>> take_turn(io::Loop& loop, Slot& slot);
  /// Whether the slot's session still is at its instance. Errors: session_ended when it has left, ended, or
  /// was renewed; store_unavailable.
  io::Task<Result<void>> still_at_instance(io::Loop& loop, const Slot& slot) {
    return records_.still_at_instance(loop, slot);
  }
  /// slot.pinned is gone, and what it had in memory: another session begins, as on_lost_instance says.
  /// Errors: instance_lost, when it says `fail`.
  Result<void> lose_instance(Slot& slot);

  /// Sessions whose commits, or turns, run or queue now.
  std::size_t lanes_busy() const { return records_.lanes_busy() + turns_.busy(); }
  const Counts& counts() const { return counts_; }
  /// The last versions of sessions in cookies.
  const RecentVersions& recent() const { return records_.recent(); }

 private:
  PlacementRules& rules(const Slot& slot);

  io::Task<Result<std::shared_ptr<SharedTurn>>> share_turn(io::Loop& loop, std::string key,
                                                           TimePoint deadline);

  store::StateStore& store_;
  Counts counts_;
  SealedCookies cookies_;
  Records records_;
  DocumentRules documents_;
  InstanceRules instance_;
  Lanes turns_;
};

}  // namespace stateway::session
