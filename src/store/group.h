// One durable step in the making: judges conditions in order, collects what holds, writes it, publishes it.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/database.h"
#include "store/hot_table.h"

namespace stateway::store {

/// The writer thread's. Keys handed in must stay where they are until `publish`, or a `write` that failed.
class Group {
 public:
  /// `count`: what the database holds now.
  Group(Database& database, HotTable& hot, RecordCount count)
      : database_(database), hot_(hot), count_(count) {}

  /// Starts the next step; expiry is judged as of `now`. Beyond `records_max` there are only ended records
  /// more.
  void begin(WallMillis now, std::uint64_t records_max);

  /// Adds a batch if its conditions hold on what is committed or earlier in this group. Takes its records.
  /// Errors: conflict, sessions_full, store_unavailable (a read failed); then nothing of it is added.
  Result<Committed> add(Batch& batch);
  /// Adds a later expiry of a live or moved record; otherwise nothing.
  void add_touch(std::string_view key, WallMillis expires_at);
  /// Removes the record of `due` if it has expired, or moves its index entry to its later expiry.
  /// Returns whether it was removed.
  bool add_expiry(const Due& due);

  /// Writes what was added; nothing to do is success. Waits for the disk only if a batch was added and
  /// durability asks for it. Errors: store_unavailable: outcome unknown.
  Result<void> write();
  /// After a write that succeeded: makes it visible to `load`.
  void publish();

  const RecordCount& count() const { return count_; }  // as of the last publish

 private:
  struct Present {
    StoredPtr stored;           // the record that lies there, expired or not; null: none
    WallMillis expires_at = 0;  // with touches that are not written yet
  };
  Result<Present> present(std::string_view key, Part part) const;
  void put(std::string_view key, const StoredPtr& before, Stored after);
  void erase(std::string_view key, const StoredPtr& before);

  Database& database_;
  HotTable& hot_;
  RecordCount count_;

  WallMillis now_ = 0;
  std::uint64_t records_max_ = 0;
  Database::Changes changes_;
  std::unordered_map<std::string_view, StoredPtr> overlay_;  // this group's latest; null: erased
  std::vector<Present> presents_;                            // of the batch being judged
  RecordCount count_then_;                                   // after this group
  bool durable_ = false;
};

}  // namespace stateway::store
