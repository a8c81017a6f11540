// Where session state lives. Contract tests (store/contract_test.h and room_contract_test.h) run over every
// implementation.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "io/loop.h"
#include "io/network.h"
#include "io/task.h"
#include "store/leases.h"
#include "store/moment.h"

namespace stateway::store {

/// Commits so far; 0: no record. What services see as Stateway-Session-Version.
using Revision = std::uint64_t;

/// live: serves. moved: its truth is elsewhere, from `revision` on. ended: a tombstone against late commits.
enum class State : std::uint8_t { live, moved, ended };

/// Which commit made a record: a gateway, and the place of the commit among that gateway's.
struct CommitId {
  std::uint64_t gateway = 0;   // at random; 0: nobody's
  std::uint64_t sequence = 0;  // below 2^53; greater than those before it

  bool operator==(const CommitId&) const = default;
};

struct Record {
  Revision revision = 0;
  State state = State::live;
  WallMillis expires_at = 0;  // never returned by load or list from this moment on
  std::string principal;      // whose log-in it carries; empty: nobody's. Indexed.
  std::string value;          // opaque to the store, binary-safe (session/record.h)
  /// Of each gateway its last commit that has an id, the latest first, at most kAppliedMax (store/batch.h).
  /// The store keeps it.
  std::vector<CommitId> applied;

  bool operator==(const Record&) const = default;
};

/// One conditional write. Keys are opaque and binary-safe, at most 256 octets.
struct Write {
  std::string key;
  Revision expected = 0;  // the record's present revision; 0: there must be none (an expired one is none)
                          // and what has ended is not live again
  std::optional<Record>
      record;  // of a greater revision: a session that moves in brings its own; nullopt: erase
};

/// What one exchange leaves behind: all or nothing, conditions included. Keys are distinct and have one tag
/// (store/batch.h), so that a store of several servers has them all on one.
struct Batch {
  std::vector<Write> writes;
  CommitId id = {};          // a repeat of it is a no-op
  std::uint64_t lease = 0;   // only while this lease of the first key is held; it ends with the commit
  std::string intent = {};   // how the record was made, for who has to make it again (store/outage/); opaque
  bool needs_store = false;  // not to be kept on this machine until the store is back
};

struct Committed {
  Revision revision = 0;  // of the first write's record; 0 for an erase
  bool local = false;     // on this machine, until the store is back
};

struct Entry {
  std::string key;
  Record record;
  bool in_previous = false;  // it has not moved out of the previous store yet (store/moving.h)
};

struct Query {
  std::string prefix;     // of the key
  std::string after;      // exclusive; empty: from the start
  std::string principal;  // empty: any
  std::size_t limit = 100;
};

/// What is known of the store that sessions move out of.
struct PreviousStats {
  std::string_view kind;
  std::uint64_t left = 0;   // records that have not moved; of a shared store as of the last count
  std::uint64_t moved = 0;  // by this gateway since it knows both stores
  bool refuses = false;     // writes, and so moves
};

/// Of a store in front of which on_outage = "journal" stands (store/outage/).
struct OutageStats {
  WallMillis away_since = 0;  // 0: it answers
  std::uint64_t pending = 0;  // commits that are on this machine only
  std::uint64_t kept = 0;     // commits that it acknowledged and may still lose
  std::uint64_t journal_bytes = 0;
  std::uint64_t known = 0;  // records that would be served while it is away
  std::uint64_t known_bytes = 0;
  std::uint64_t known_lost = 0;  // forgotten because others needed the room
  // since the start
  std::uint64_t replayed = 0;    // commits that were on this machine only, and are in the store
  std::uint64_t remade = 0;      // of these, on a newer record
  std::uint64_t overlapped = 0;  // that met others in the same places
  std::uint64_t dropped = 0;     // that the store did not get
  std::uint64_t recovered = 0;   // commits that it had acknowledged, and lost
  std::uint64_t unkept = 0;      // … that could not be kept: no room
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
  std::optional<PreviousStats> previous;
  std::string_view durability;  // what an acknowledged commit survives: a value of [store] durability
  std::optional<OutageStats> outage{};
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
  /// Success: every write is applied, or was by an earlier commit of the same id: then the first write's
  /// record, as it is now, says so, and nothing more is done. After an erase there is none that could: its
  /// repeat is a conflict.
  /// Failure: nothing is applied. Code::conflict: a condition did not hold (load again, rebase, commit
  /// again); lease_lost: so did the lease; sessions_full: there would be more than sessions_max records that
  /// are not ended; store_poisoned: writes are refused until restart; store_unavailable: this commit's
  /// outcome is unknown (a failed write or sync, no answer), or a read it needed failed; not_durable: it is
  /// applied, but fewer servers or disks have it than were asked for; internal: a batch that no caller should
  /// build (store/batch.h).
  virtual io::Task<Result<Committed>> commit(io::Loop& loop, Batch batch) = 0;

  /// Moves the expiry of a live or moved record to a later time; otherwise does nothing. Neither a commit nor
  /// awaited: `load` shows it soon, a crash may lose it.
  virtual void touch(io::Loop& loop, std::string_view key, WallMillis expires_at) = 0;

  /// Records in key order. Expired ones are left out. Errors: store_unavailable.
  virtual io::Task<Result<std::vector<Entry>>> list(io::Loop& loop, Query query) = 0;

  /// Removes records that have expired, at most `most`; returns how many. Called from a timer.
  /// Errors: store_unavailable, store_poisoned.
  virtual io::Task<Result<std::size_t>> sweep(io::Loop& loop, std::size_t most) = 0;

  virtual Stats stats() const = 0;

  /// Of StoreOptions, for commits from now on. Fewer than there are records is no error: none is removed.
  virtual void set_sessions_max(std::uint64_t most) = 0;

  /// What every loop that calls a store of other machines must do first: on its own thread, or before that
  /// runs. Both must outlive the store, or `detach`.
  virtual void attach(io::Loop&, io::Network&) {}
  /// Ends the connections of that loop, on its thread. Nothing of it uses the store any more.
  virtual void detach(io::Loop&) {}

  /// Somebody has listed all records, and so many were `in_previous`.
  virtual void note_left(std::uint64_t) {}

  /// What the store holds now, for a backup; nullptr: this kind has backups of its own.
  virtual std::unique_ptr<Moment> moment() { return nullptr; }

  /// nullptr: no other gateway can use this store.
  virtual Leases* leases() { return nullptr; }

  /// Another number than before says that another server answers than before (a failover, a restart): some of
  /// what was acknowledged may be gone.
  virtual std::uint64_t epoch() const { return 0; }
  /// Whether commits are to come with Batch::intent.
  virtual bool wants_intents() const { return false; }
  /// Which of the store's servers has this key: they fail one by one. A small number.
  virtual std::size_t partition(std::string_view) const { return 0; }
};

}  // namespace stateway::store
