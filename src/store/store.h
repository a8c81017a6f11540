// Where session state lives. Contract tests (store/contract_test.h and room_contract_test.h) run over every
// implementation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "io/loop.h"
#include "io/task.h"

namespace stateway::store {

/// Commits so far; 0: no record. What services see as Stateway-Session-Version.
using Revision = std::uint64_t;

/// live: serves. moved: its truth is elsewhere, from `revision` on. ended: a tombstone against late commits.
enum class State : std::uint8_t { live, moved, ended };

struct Record {
  Revision revision = 0;
  State state = State::live;
  WallMillis expires_at = 0;  // never returned by load or list from this moment on
  std::string principal;      // whose log-in it carries; empty: nobody's. Indexed.
  std::string value;          // opaque to the store, binary-safe (session/record.h)

  bool operator==(const Record&) const = default;
};

/// One conditional write. Keys are opaque and binary-safe, at most 256 octets.
struct Write {
  std::string key;
  Revision expected = 0;  // the record's present revision; 0: there must be none (an expired one is none)
  std::optional<Record>
      record;  // of a greater revision: a session that moves in brings its own; nullopt: erase
};

/// What one exchange leaves behind: all or nothing, conditions included. Keys are distinct.
using Batch = std::vector<Write>;

struct Entry {
  std::string key;
  Record record;
};

struct Query {
  std::string prefix;     // of the key
  std::string after;      // exclusive; empty: from the start
  std::string principal;  // empty: any
  std::size_t limit = 100;
};

struct Stats {
  std::string_view kind;
  std::uint64_t records = 0;  // live, moved and ended ones, without those already swept
  std::uint64_t ended = 0;    // of these
  std::uint64_t commits = 0;  // batches applied since start
  std::uint64_t conflicts = 0;
  std::uint64_t groups = 0;  // durable steps; commits / groups is the mean group
  std::uint64_t swept = 0;
  bool poisoned = false;  // an append or sync failed: reads go on, writes are refused
};

/// Thread-safe. Awaiting coroutines are resumed on the loop that called. Destroying a waiter undoes no
/// commit.
class StateStore {
 public:
  virtual ~StateStore() = default;

  /// The committed record, durable as configured; nullopt when there is none or it has expired.
  /// Errors: store_unavailable.
  virtual io::Task<Result<std::optional<Record>>> load(io::Loop& loop, std::string key) = 0;

  /// Applies the batch and completes once it is durable as configured.
  /// Success: every write is applied; the revision of the first write's record (0 for an erase).
  /// Failure: nothing is applied. Code::conflict: a condition did not hold (load again, rebase, commit
  /// again); sessions_full: there would be more than sessions_max records that are not ended;
  /// store_poisoned: writes are refused until restart; store_unavailable: this commit's outcome is unknown (a
  /// failed write or sync), or a read it needed failed; internal: a batch that no caller should build
  /// (store/batch.h).
  virtual io::Task<Result<Revision>> commit(io::Loop& loop, Batch batch) = 0;

  /// Moves the expiry of a live or moved record to a later time; otherwise does nothing. Neither a commit nor
  /// awaited: `load` shows it soon, a crash may lose it.
  virtual void touch(std::string_view key, WallMillis expires_at) = 0;

  /// Records in key order. Expired ones are left out. Errors: store_unavailable.
  virtual io::Task<Result<std::vector<Entry>>> list(io::Loop& loop, Query query) = 0;

  /// Removes records that have expired, at most `most`; returns how many. Called from a timer.
  /// Errors: store_unavailable, store_poisoned.
  virtual io::Task<Result<std::size_t>> sweep(io::Loop& loop, std::size_t most) = 0;

  virtual Stats stats() const = 0;

  /// Of StoreOptions, for commits from now on. Fewer than there are records is no error: none is removed.
  virtual void set_sessions_max(std::uint64_t most) = 0;
};

}  // namespace stateway::store
