// What the outage journal keeps of a commit. docs/formats/outage-journal.md has the bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/store.h"

namespace stateway::store::outage {

enum class What : std::uint8_t {
  intent = 1,        // acknowledged, and not in the store
  acknowledged = 2,  // by the store, which may lose it
  done = 3,          // the store has the intent of that id
  dropped = 4,       // the store is not to get it
};

struct JournalEntry {
  What what = What::intent;
  WallMillis at = 0;  // when it was written
  Batch batch;        // of `done` and `dropped` its id alone; never with a lease
};

std::string encode_entry(What what, WallMillis at, const Batch& batch);
/// nullopt: damaged, or written by a newer version. Pure; any thread.
std::optional<JournalEntry> decode_entry(std::string_view in);

}  // namespace stateway::store::outage
