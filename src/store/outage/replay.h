// Bringing a commit that was kept on this machine into the store, whatever the store has by now.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "store/outage/remaker.h"
#include "store/store.h"

namespace stateway::store::outage {

/// What became of a commit.
enum class Fate : std::uint8_t {
  there,       // the store had it already
  applied,     // as it was made
  remade,      // rebased on a newer record, in other places of it
  overlapped,  // in the same places, and written all the same: on_conflict = journal
  behind,      // not yet: the store has lost what came before it
  // dropped
  overlap_dropped,  // in the same places: on_conflict = store
  ended,            // the session has ended
  renewed,          // the session was renewed: what began before must not change it any more
  outdated,         // a write that cannot be made again, of another record than the present one
  expired,
  moved_on,  // the session has moved on to another store (store/moved_on.h)
};
inline bool is_dropped(Fate fate) { return fate >= Fate::overlap_dropped; }
std::string_view fate_name(Fate fate);

struct Replayed {
  Fate fate = Fate::there;
  std::optional<Record> record{};  // of the first write's key, as it is in the store now
};

/// What the first write of a commit becomes where `present` is in the store. A record's revision is greater
/// than `local`, the last one this gateway has given out. Rules, the first that fits:
/// - a mark of a session that has moved on stays;
/// - what has expired is dropped, unless others have used the session since: then it lives as long as theirs;
/// - where there is no record any more the commit's own is created: an end leaves a tombstone;
/// - nothing changes an ended session;
/// - an end ends whatever is there;
/// - a moved record of the revision that it was made for is what it was made for;
/// - with an intent: as the Remaker says;
/// - without one, and erasing: only on the revision that it was made for.
/// A drop leaves a record that is not `moved` with a revision greater than `local` as well.
struct Next {
  Fate fate = Fate::applied;
  std::optional<Write> write{};  // nullopt: nothing is to be written
};
Next next_write(const Batch& batch, const std::optional<Record>& present, Revision local, WallMillis now,
                const Remaker& remaker, OnConflict on_conflict);

/// Loads, decides and commits until it holds. `local`: see next_write. `is_behind(record)`: the store has
/// come back older, so that this commit would hide what it lost: then nothing is done. A store that does so
/// after the look has another revision than the commit asks for. Errors: the store's; conflict when others
/// were always faster. Then it may be tried again.
using IsBehind = std::function<bool(const std::optional<Record>&)>;
io::Task<Result<Replayed>> replay(io::Loop& loop, StateStore& store, Batch batch, Revision local,
                                  const IsBehind& is_behind, const WallClock& clock, const Remaker& remaker,
                                  OnConflict on_conflict);

}  // namespace stateway::store::outage
