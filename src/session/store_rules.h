// Placement "store": the client holds a ticket, the store all else.
#pragma once

#include "session/placement_rules.h"
#include "session/records.h"

namespace stateway::session {

/// A session begins with its first patch: until then there is no record and no cookie.
class StoreRules final : public PlacementRules {
 public:
  StoreRules(Records& records, Random& random) : records_(records), random_(random) {}

  io::Task<Result<bool>> open(io::Loop& loop, Slot& slot, std::string_view cookie) override;
  void begin(Slot& slot) override;
  io::Task<Result<void>> reload(io::Loop& loop, Slot& slot) override { return records_.reload(loop, slot); }
  io::Task<Result<void>> commit(io::Loop& loop, Slot& slot, Overlap overlap) override;

 private:
  Records& records_;
  Random& random_;
};

}  // namespace stateway::session
