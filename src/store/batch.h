// What every store asks of a batch before it looks at its conditions, and what it remembers of commits.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "store/store.h"

namespace stateway::store {

inline constexpr std::size_t kKeyBytesMax = 256;
/// The front of a key that a session's keys have in common: its public id.
inline constexpr std::size_t kTagBytes = 12;
/// Gateways whose last commits a record remembers.
inline constexpr std::size_t kAppliedMax = 16;

/// `record` nullopt: erase.
inline Batch one_write(std::string key, Revision expected, std::optional<Record> record) {
  Batch batch;
  batch.writes.push_back({.key = std::move(key), .expected = expected, .record = std::move(record)});
  return batch;
}

inline std::string_view tag_of(std::string_view key) { return key.substr(0, kTagBytes); }

/// Errors: Code::internal for a batch no caller should build: empty; a key that is empty, too long, there
/// twice, or of another tag; a revision that is not greater than expected; an expiry before 1970. Pure; any
/// thread.
Result<void> check_batch(const Batch& batch);

/// A condition of every write: a live record never takes the place of an ended one that has not expired.
inline bool revives(const Write& write, State present) {
  return present == State::ended && write.record && write.record->state == State::live;
}

/// Whether a commit changed what it wanted to, though too few may have it.
template <class T>
bool is_applied(const Result<T>& committed) {
  return committed || committed.error().code == Code::not_durable;
}

/// Whether this commit, or a later one of the same gateway, has made `present` or a record before it.
bool has_applied(const Record& present, CommitId id);

/// What the first write's record is to remember: the batch's commit, and what `present` (nullptr: there was
/// none) or else the record itself remembers. Nothing for an erase.
void remember_commit(Batch& batch, const Record* present);

}  // namespace stateway::store
