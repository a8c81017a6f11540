// Placement "instance": a service keeps its sessions in its own memory, and their clients come back to it.
#pragma once

#include "session/placement_rules.h"
#include "session/records.h"
#include "session/sealed_cookies.h"

namespace stateway::session {

/// A session begins with the first answer, whose instance has it from then on. The client holds the
/// instance's name, sealed; the store has a record only of those that a service renewed (with a principal, or
/// without) or ended, so that they can be listed and ended and no older cookie opens them. There is no
/// document. Sessions that were elsewhere begin anew.
class InstanceRules final : public PlacementRules {
 public:
  InstanceRules(Records& records, SealedCookies& cookies, const WallClock& clock, Random& random)
      : records_(records), cookies_(cookies), clock_(clock), random_(random) {}

  io::Task<Result<bool>> open(io::Loop& loop, Slot& slot, std::string_view cookie) override;
  void begin(Slot& slot) override;
  io::Task<Result<void>> reload(io::Loop& loop, Slot& slot) override { return records_.reload(loop, slot); }
  /// Besides: bad_patch, since there is nothing to patch.
  io::Task<Result<void>> commit(io::Loop& loop, Slot& slot, Overlap overlap) override;

 private:
  io::Task<Result<void>> keep(io::Loop& loop, Slot& slot, Overlap overlap);
  io::Task<Result<bool>> is_current(io::Loop& loop, const Slot& slot);

  Records& records_;
  SealedCookies& cookies_;
  const WallClock& clock_;
  Random& random_;
};

}  // namespace stateway::session
