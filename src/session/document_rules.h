// Placements "client", "store" and later ones where the gateway keeps a document: how it is opened from
// whatever its client holds, moved to where the placement wants it, and told to the client.
#pragma once

#include "session/placement_rules.h"
#include "session/records.h"
#include "session/sealed_cookies.h"

namespace stateway::session {

/// A session begins with its first patch: until then there is nothing kept and no cookie. A client may hold a
/// ticket, a sealed document, or the name of an instance that has the session in memory; the next exchange
/// moves the session and gives the client what its placement wants it to hold. A session in an instance's
/// memory is asked there for its document: the exchange goes to it (Slot::pinned) with `{}` and version 0,
/// and the session stays there until an answer patches it. One such exchange at a time: see LaneStage.
class DocumentRules final : public PlacementRules {
 public:
  DocumentRules(Records& records, SealedCookies& cookies, Random& random, Counts& counts)
      : records_(records), cookies_(cookies), random_(random), counts_(counts) {}

  io::Task<Result<bool>> open(io::Loop& loop, Slot& slot, std::string_view cookie) override;
  void begin(Slot& slot) override;
  io::Task<Result<void>> reload(io::Loop& loop, Slot& slot) override { return records_.reload(loop, slot); }
  /// What the service did not ask for, a move or a newer cookie, is put off if it fails.
  io::Task<Result<void>> commit(io::Loop& loop, Slot& slot, Overlap overlap) override;

 private:
  io::Task<Result<void>> slide(io::Loop& loop, Slot& slot);
  io::Task<Result<bool>> open_sealed(io::Loop& loop, Slot& slot, std::string_view cookie);

  Records& records_;
  SealedCookies& cookies_;
  Random& random_;
  Counts& counts_;
};

}  // namespace stateway::session
