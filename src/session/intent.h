// How a commit was made, for a store that may have to make it again for another record: store::Batch::intent,
// and what becomes of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "session/patch_set.h"
#include "session/record.h"
#include "store/outage/remaker.h"

namespace stateway::session {

/// A commit, and what it was made for. Views: they must outlive the call they are for.
struct Intent {
  const PatchSet& patches;
  std::string_view document;     // that they were applied to: the latest of then
  std::string_view secret_hash;  // of that record
  bool renews = false;           // the commit changes the secret, and maybe the principal
  std::size_t document_bytes_max = 0;
};

/// Opaque octets. docs/formats/outage-journal.md has them.
std::string encode_intent(const Intent& intent);

/// Rebases an intent's patches on what the store has by now, as on any newer version (rebase.h). Where they
/// overwrite what came in meanwhile, or do not apply to it, on_conflict decides: `journal` applies them all
/// the same, and where they do not apply the whole document is the journal's; `store` leaves what is there. A
/// session that has moved out of the store meanwhile counts as overlap. One that was renewed meanwhile
/// refuses what began before. Thread-safe, stateless.
class IntentRemaker final : public store::outage::Remaker {
 public:
  store::outage::Remade remake(std::string_view intent, const store::Record& made,
                               const store::Record& present, store::OnConflict on_conflict) const override;
};

}  // namespace stateway::session
