#include "store/outage/replay.h"

#include <algorithm>
#include <utility>

#include "store/batch.h"
#include "store/moved_on.h"

namespace stateway::store::outage {
namespace {

constexpr int kAttempts = 16;

Next nothing(Fate fate) { return {.fate = fate}; }

Fate fate_of(Remade::How how) {
  switch (how) {
    case Remade::How::as_made:
      return Fate::applied;
    case Remade::How::rebased:
      return Fate::remade;
    case Remade::How::overlapped:
      return Fate::overlapped;
    case Remade::How::refused:
      return Fate::renewed;
  }
  return Fate::renewed;
}

// The other writes of the batch: where another record is than they were made for, that one stays.
io::Task<Result<std::vector<Write>>> still_fit(io::Loop& loop, StateStore& store, std::vector<Write> writes) {
  std::vector<Write> fit;
  for (Write& write : writes) {
    const auto present = co_await store.load(loop, write.key);
    if (!present) co_return std::unexpected(present.error());
    if ((*present ? (*present)->revision : 0) == write.expected) fit.push_back(std::move(write));
  }
  co_return fit;
}

// The record stays as it is, and gets a revision that this gateway has not given out: an exchange that began
// with what is dropped must not take it for what it has seen. A moved one keeps its revision, which clients
// hold.
std::optional<Write> renumbered(const std::string& key, const Record& present, Revision local) {
  if (present.state == State::moved || present.revision > local) return std::nullopt;
  Write write{.key = key, .expected = present.revision, .record = present};
  write.record->revision = local + 1;
  return write;
}

}  // namespace

std::string_view fate_name(Fate fate) {
  constexpr std::string_view kNames[] = {"there",    "applied",         "remade",  "overlapped",
                                         "behind",   "overlap-dropped", "ended",   "renewed",
                                         "outdated", "expired",         "moved-on"};
  return kNames[static_cast<std::size_t>(fate)];
}

Next next_write(const Batch& batch, const std::optional<Record>& present, Revision local, WallMillis now,
                const Remaker& remaker, OnConflict on_conflict) {
  const Write& first = batch.writes.front();
  const Revision revision = present ? present->revision : 0;
  if (present && has_moved_on(*present)) return nothing(Fate::moved_on);
  if (!first.record) {
    if (revision == first.expected) return {Fate::applied, first};
    return nothing(Fate::outdated);
  }
  const Record& made = *first.record;
  const bool expired = made.expires_at <= now;
  if (expired && !present) return nothing(Fate::expired);
  Write write{.key = first.key, .expected = revision, .record = made};
  if (expired) write.record->expires_at = present->expires_at;
  if (!present) return {Fate::applied, std::move(write)};
  // What services and clients hold of this gateway's versions must not be taken for this one.
  if (revision != first.expected) write.record->revision = std::max(revision, local) + 1;
  if (present->state == State::ended) return nothing(made.state == State::ended ? Fate::there : Fate::ended);
  if (made.state == State::ended) return {Fate::applied, std::move(write)};
  // Of a session that is elsewhere the record does not tell its document: its revision must do.
  const bool unchanged = revision == first.expected;
  if (unchanged && (batch.intent.empty() || present->state == State::moved))
    return {Fate::applied, std::move(write)};
  if (batch.intent.empty()) return nothing(Fate::outdated);
  Remade remade = remaker.remake(batch.intent, made, *present, on_conflict);
  if (remade.how == Remade::How::refused) return nothing(Fate::renewed);
  if (remade.how == Remade::How::overlapped && on_conflict == OnConflict::store)
    return nothing(Fate::overlap_dropped);
  if (remade.how != Remade::How::as_made) {
    remade.record.revision = std::max(revision, local) + 1;
    write.record = std::move(remade.record);
  }
  write.record->applied.clear();  // the store keeps it
  return {fate_of(remade.how), std::move(write)};
}

io::Task<Result<Replayed>> replay(io::Loop& loop, StateStore& store, Batch batch, Revision local,
                                  const IsBehind& is_behind, const WallClock& clock, const Remaker& remaker,
                                  OnConflict on_conflict) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto present = co_await store.load(loop, batch.writes.front().key);
    if (!present) co_return std::unexpected(present.error());
    if (*present && has_applied(**present, batch.id)) co_return Replayed{Fate::there, std::move(*present)};
    if (is_behind(*present)) co_return Replayed{Fate::behind, std::move(*present)};
    Next next = next_write(batch, *present, local, clock.now(), remaker, on_conflict);
    const bool dropped = !next.write;
    if (dropped && *present) next.write = renumbered(batch.writes.front().key, **present, local);
    if (!next.write) co_return Replayed{next.fate, std::move(*present)};
    Batch again{.writes = {}, .id = dropped ? CommitId{} : batch.id};
    again.writes.push_back(*next.write);
    if (!dropped && batch.writes.size() > 1) {
      std::vector<Write> others(batch.writes.begin() + 1, batch.writes.end());
      auto fit = co_await still_fit(loop, store, std::move(others));
      if (!fit) co_return std::unexpected(fit.error());
      std::ranges::move(*fit, std::back_inserter(again.writes));
    }
    remember_commit(again, *present ? &**present : nullptr);
    std::optional<Record> record = again.writes.front().record;
    const auto committed = co_await store.commit(loop, std::move(again));
    if (is_applied(committed)) co_return Replayed{next.fate, std::move(record)};
    if (committed.error().code != Code::conflict) co_return std::unexpected(committed.error());
  }
  co_return fail(Code::conflict, Side::store, "other commits of this session were always faster",
                 Retry::always);
}

}  // namespace stateway::store::outage
