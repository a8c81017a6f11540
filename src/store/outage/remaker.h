// Making a change again for a record that it was not made for.
#pragma once

#include <cstdint>
#include <string_view>

#include "store/options.h"
#include "store/store.h"

namespace stateway::store::outage {

struct Remade {
  enum class How : std::uint8_t {
    as_made,     // the present record is what it was made for
    rebased,     // on a newer one, in other places of it
    overlapped,  // in the same places: `record` is what on_conflict says
    refused,     // it must not be made any more: the session was renewed meanwhile
  };
  How how = How::as_made;
  Record record;  // without revision and applied; none when refused, or overlapped with OnConflict::store
};

/// Implemented by who knows what records and intents mean. Thread-safe.
class Remaker {
 public:
  virtual ~Remaker() = default;
  /// `intent`: Batch::intent of the commit that made `made`. `present` is live or moved.
  virtual Remade remake(std::string_view intent, const Record& made, const Record& present,
                        OnConflict on_conflict) const = 0;
};

}  // namespace stateway::store::outage
