// RocksDB as the embedded store uses it: four column families whose contents agree after every write.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/options.h"
#include "store/record_codec.h"
#include "store/store.h"

namespace rocksdb {
class Env;
}

namespace stateway::store {

struct RecordCount {
  std::uint64_t records = 0;
  std::uint64_t ended = 0;  // of these
};

/// Reads are thread-safe; `write` belongs to one thread. Only one process can have a path open.
class Database {
 public:
  /// Opens or creates. `env` null: the machine's; it must outlive the database otherwise.
  /// Errors: Code::io with a sentence for the operator: in use by another, not writable, damaged, too new.
  static Result<std::unique_ptr<Database>> open(const std::string& path, Durability durability,
                                                rocksdb::Env* env);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// The record as of the last write, expired or not; null when there is none. Errors: store_unavailable.
  Result<StoredPtr> get(std::string_view key, Part part) const;

  /// Entries of the expiry index up to and including `until`, earliest first, at most `most`, that come after
  /// `after` (an entry's encode_due; empty: from the start). Errors: store_unavailable.
  Result<std::vector<Due>> due(WallMillis until, std::string_view after, std::size_t most) const;

  /// Shows `visit` the records `query` asks for in key order, expired ones too, until it returns false;
  /// `query.limit` is the visitor's affair. Errors: store_unavailable.
  Result<void> scan(const Query& query, const std::function<bool(Entry)>& visit) const;

  /// All records as they are now, whatever is written meanwhile, in key order, expired ones too. The database
  /// must outlive it. Belongs to one thread at a time.
  class Cursor {
   public:
    ~Cursor();
    /// nullopt: that was all. Errors: store_unavailable.
    Result<std::optional<Entry>> next();

   private:
    friend class Database;
    struct Walk;
    explicit Cursor(std::unique_ptr<Walk> walk);
    std::unique_ptr<Walk> walk_;
  };
  std::unique_ptr<Cursor> cursor() const;

  /// By walking the expiry index: one entry per record, which says whether it is ended.
  /// Errors: store_unavailable.
  Result<RecordCount> count() const;

  /// What one write changes: records, and with each the indexes that follow from it.
  class Changes {
   public:
    Changes();
    ~Changes();
    Changes(const Changes&) = delete;
    Changes& operator=(const Changes&) = delete;

    bool empty() const;
    void clear();

   private:
    friend class Database;
    struct Rows;
    std::unique_ptr<Rows> rows_;
  };
  /// `before`: the record `after` replaces or `erase` removes; its value is not looked at.
  void put(Changes& changes, std::string_view key, const Stored* before, const Stored& after) const;
  void erase(Changes& changes, std::string_view key, const Stored& before) const;

  /// Applies the changes, all or nothing, as durably as opened for; `sync` = false: never waits for the disk.
  /// Errors: store_unavailable: whether they are on disk is unknown; `get` and `scan` do not show them.
  Result<void> write(Changes& changes, bool sync);

  /// Writes memory out to tables. Errors: store_unavailable.
  Result<void> flush();

 private:
  struct Handles;
  explicit Database(std::unique_ptr<Handles> handles);

  Result<void> check_format();
  Result<void> scan_principal(const Query& query, const std::function<bool(Entry)>& visit) const;

  std::unique_ptr<Handles> handles_;
};

}  // namespace stateway::store
