// What a store held at one moment, for a backup.
#pragma once

#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace stateway::store {

struct Entry;

/// Commits go on meanwhile and are not in it. May outlive the store it is of. Not thread-safe; calls block.
class Moment {
 public:
  virtual ~Moment() = default;
  virtual WallMillis taken_at() const = 0;
  /// The next records in key order, without those that had expired; some 256 KiB, or one. Empty: that was
  /// all. Errors: store_unavailable.
  virtual Result<std::vector<Entry>> next() = 0;
};

}  // namespace stateway::store
