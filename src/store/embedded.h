// Session state on this machine's disk: RocksDB behind a writer thread with group commit
// (docs/decisions/0003-rocksdb-group-commit.md) and a table of hot records. Format: docs/formats/store.md.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "io/worker.h"
#include "store/options.h"
#include "store/store.h"

namespace rocksdb {
class Env;
}

namespace stateway::store {

class Database;
class HotTable;
class Writer;
struct RecordCount;

/// `load` of a hot record, or of a key whose absence is, completes without suspending; everything else takes
/// a turn of the caller's loop. `touch` shows in `load` at once and is written without a sync. sessions_max
/// counts expired records, unless they are ended ones, until the sweep has removed them.
///
/// After a failed write (poisoned): the writer's group got store_unavailable, later commits get
/// store_poisoned, reads go on and show the state before it: RocksDB takes a group into its memtable only
/// after its append and sync, and the hot table is published to after that. Whether the failed group is there
/// after a restart is unknown.
class EmbeddedStore final : public StateStore {
 public:
  /// Opens or creates `options.path`. Blocks: replays the log and counts the records (a second per few
  /// millions). Errors: Code::io with a sentence for the operator (in use by another gateway, not writable,
  /// damaged, too new). `clock` and every loop that calls must outlive the store;
  /// so must `env` (tests bring a failing disk; null: the machine's).
  static Result<std::unique_ptr<EmbeddedStore>> open(const StoreOptions& options, const WallClock& clock,
                                                     rocksdb::Env* env = nullptr);
  /// Finishes what was queued, writes memory out (not after a failed write) and closes. Blocks.
  ~EmbeddedStore() override;

  io::Task<Result<std::optional<Record>>> load(io::Loop& loop, std::string key) override;
  io::Task<Result<Committed>> commit(io::Loop& loop, Batch batch) override;
  void touch(io::Loop& loop, std::string_view key, WallMillis expires_at) override;
  io::Task<Result<std::vector<Entry>>> list(io::Loop& loop, Query query) override;
  io::Task<Result<std::size_t>> sweep(io::Loop& loop, std::size_t most) override;
  Stats stats() const override;
  void set_sessions_max(std::uint64_t most) override;
  std::unique_ptr<Moment> moment() override;

 private:
  EmbeddedStore(std::unique_ptr<Database> database, const StoreOptions& options, const WallClock& clock,
                RecordCount count);

  Result<std::vector<Entry>> collect(const Query& query);

  const WallClock& clock_;
  std::shared_ptr<Database> database_;  // with the moments of it
  std::unique_ptr<HotTable> hot_;
  std::unique_ptr<Writer> writer_;
  io::Worker loads_{"store-load"};  // reads of cold records
  io::Worker scans_{"store-scan"};  // walks, so that no load waits behind one
};

}  // namespace stateway::store
