// Placement "instance": a service keeps its sessions in its own memory, and their clients come back to it.
#pragma once

#include "session/barred_ids.h"
#include "session/key_ring.h"
#include "session/placement_rules.h"
#include "session/records.h"

namespace stateway::session {

struct Mapping;

/// A session begins with the first answer, whose instance has it from then on. The client holds a sealed
/// mapping; the store has a record only of those that a service renewed (with a principal, or without) or
/// ended, so that they can be listed and ended and no older cookie opens them. There is no document.
class InstanceRules final : public PlacementRules {
 public:
  /// `keys` must be in use before the first call.
  InstanceRules(Records& records, KeyRing& keys, const WallClock& clock, Random& random)
      : records_(records), keys_(keys), clock_(clock), random_(random) {}

  io::Task<Result<bool>> open(io::Loop& loop, Slot& slot, std::string_view cookie) override;
  void begin(Slot& slot) override;
  io::Task<Result<void>> reload(io::Loop& loop, Slot& slot) override;
  /// Besides: bad_patch, since there is nothing to patch.
  io::Task<Result<void>> commit(io::Loop& loop, Slot& slot, Overlap overlap) override;
  /// The slot's instance is gone: another session begins, as on_lost_instance says. Errors: instance_lost,
  /// when it says `fail`.
  Result<void> lose_instance(Slot& slot);

 private:
  io::Task<Result<void>> keep(io::Loop& loop, Slot& slot, Overlap overlap);
  io::Task<Result<bool>> is_current(io::Loop& loop, const Slot& slot);
  std::string sealed(const Slot& slot);

  Records& records_;
  KeyRing& keys_;
  const WallClock& clock_;
  Random& random_;
  BarredIds barred_;
};

}  // namespace stateway::session
