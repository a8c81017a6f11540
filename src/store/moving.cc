#include "store/moving.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "store/batch.h"
#include "store/moved_on.h"
#include "store/same_store.h"

namespace stateway::store {
namespace {

constexpr std::size_t kPage = 64;  // with their documents

// Each is another gateway, or a commit in flight, that was faster.
constexpr int kAttempts = 16;

std::unexpected<Error> always_slower() {
  return fail(Code::store_unavailable, Side::store, "others were always faster with this record",
              Retry::always);
}

/// A step of a move: nobody remembers it, and it is of no use on this machine alone.
Batch step(std::string key, Revision expected, std::optional<Record> record) {
  Batch batch;
  batch.writes.push_back({.key = std::move(key), .expected = expected, .record = std::move(record)});
  batch.needs_store = true;
  return batch;
}

}  // namespace

bool MovingStore::Settled::contains(const std::string& key) const {
  const Shard& shard = shards_[index_of(key)];
  const std::lock_guard lock(shard.mutex);
  return shard.young.contains(key) || shard.old.contains(key);
}

void MovingStore::Settled::add(const std::string& key) {
  Shard& shard = shards_[index_of(key)];
  const std::lock_guard lock(shard.mutex);
  if (shard.young.size() >= kKeysMax) shard.old = std::exchange(shard.young, {});
  shard.young.insert(key);
}

MovingStore::MovingStore(std::shared_ptr<StateStore> next, std::shared_ptr<StateStore> previous,
                         std::uint64_t sessions_max, bool known_as_two)
    : next_(std::move(next)),
      previous_(std::move(previous)),
      shared_(previous_->leases() != nullptr),
      known_as_two_(known_as_two),
      sessions_max_(sessions_max),
      left_(previous_->stats().records) {
  next_->set_sessions_max(sessions_max);
  previous_->set_sessions_max(std::numeric_limits<std::int64_t>::max());
}

// If they are one, the record of the third step, which gives way, is the one of the second.
io::Task<Result<void>> MovingStore::make_sure_they_are_two(io::Loop& loop, WallMillis expires_at) {
  if (known_as_two_.load(std::memory_order_relaxed)) co_return Result<void>{};
  const auto one = co_await are_one(loop, *previous_, *next_, expires_at);
  if (!one) co_return std::unexpected(one.error());
  if (*one)
    co_return fail(Code::store_unavailable, Side::store,
                   "[store.previous] is the same store as [store], under another name: leave it out");
  known_as_two_.store(true, std::memory_order_relaxed);
  co_return Result<void>{};
}

// Ends the move of this key, whoever began it.
io::Task<Result<MovingStore::Found>> MovingStore::settle(io::Loop& loop, const std::string& key) {
  if (shared_ && settled_.contains(key)) co_return Found::mark;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto loaded = co_await previous_->load(loop, key);
    if (!loaded) co_return pass_on(std::move(loaded));
    if (!*loaded) co_return Found::nothing;
    Record mark = std::move(**loaded);
    if (has_moved_on(mark) && !carried_by(mark)) {
      settled_.add(key);
      co_return Found::mark;
    }
    if (auto two = co_await make_sure_they_are_two(loop, mark.expires_at); !two)
      co_return pass_on(std::move(two));
    if (!has_moved_on(mark)) {
      const Revision revision = mark.revision;
      mark = carrying_mark(mark);
      auto marking = step(key, revision, mark);
      const auto marked = co_await previous_->commit(loop, std::move(marking));
      if (!marked && marked.error().code == Code::conflict) continue;
      if (!marked) co_return std::unexpected(marked.error());
    }
    if (const auto created = co_await create(loop, key, *carried_by(mark)); !created) {
      if (created.error().code == Code::conflict) continue;
      co_return std::unexpected(created.error());
    }
    const auto given = co_await give_way(loop, key, mark);
    if (!given && given.error().code == Code::conflict) continue;
    if (!given) co_return std::unexpected(given.error());
    moved_.fetch_add(1, std::memory_order_relaxed);
    if (shared_) settled_.add(key);
    co_return Found::moved;
  }
  co_return always_slower();
}

// The second step. Code::conflict: look at the previous store again.
io::Task<Result<void>> MovingStore::create(io::Loop& loop, const std::string& key, const Record& record) {
  auto creation = step(key, 0, record);
  const auto created = co_await next_->commit(loop, std::move(creation));
  if (created) co_return Result<void>{};
  if (created.error().code != Code::conflict) co_return std::unexpected(created.error());
  auto loaded = co_await next_->load(loop, key);
  if (!loaded) co_return pass_on(std::move(loaded));
  const auto again = [] { return fail(Code::conflict, Side::store, {}, Retry::always); };
  if (!*loaded) co_return again();
  const Record& present = **loaded;
  if (has_moved_on(present)) {
    auto replaced = co_await replace_mark(loop, key, present, record);
    if (!replaced) co_return replaced;
    co_return again();
  }
  if (present.state == State::ended || present.revision >= record.revision) co_return Result<void>{};
  auto replacement = step(key, present.revision, record);
  const auto replaced = co_await next_->commit(loop, std::move(replacement));
  if (!replaced) co_return std::unexpected(replaced.error());
  co_return Result<void>{};
}

// A mark in the next store is from the other way round: the session once came from there, and now goes back.
// One that carries a record is what a crash left; unless that is older than the one that comes, it stays.
io::Task<Result<void>> MovingStore::replace_mark(io::Loop& loop, const std::string& key, const Record& mark,
                                                 const Record& coming) {
  auto carried = carried_by(mark);
  if (carried && carried->state != State::ended && carried->revision < coming.revision) carried.reset();
  if (carried) carried->revision = mark.revision + 1;
  auto replacement = step(key, mark.revision, std::move(carried));
  const auto replaced = co_await next_->commit(loop, std::move(replacement));
  if (!replaced) co_return std::unexpected(replaced.error());
  co_return Result<void>{};
}

// The third step.
io::Task<Result<void>> MovingStore::give_way(io::Loop& loop, const std::string& key, const Record& mark) {
  std::optional<Record> empty;
  if (shared_) empty = empty_mark(mark.revision + 1, mark.expires_at);
  auto giving = step(key, mark.revision, std::move(empty));
  const auto given = co_await previous_->commit(loop, std::move(giving));
  if (!given) co_return std::unexpected(given.error());
  co_return Result<void>{};
}

// Of a session that the previous store has never seen.
io::Task<Result<void>> MovingStore::begin_here(io::Loop& loop, const std::string& key,
                                               WallMillis expires_at) {
  if (auto two = co_await make_sure_they_are_two(loop, expires_at); !two) co_return two;
  auto marking = step(key, 0, empty_mark(1, expires_at));
  const auto marked = co_await previous_->commit(loop, std::move(marking));
  if (!marked) co_return std::unexpected(marked.error());
  settled_.add(key);
  co_return Result<void>{};
}

io::Task<Result<bool>> MovingStore::bring(io::Loop& loop, std::string key) {
  const auto found = co_await settle(loop, key);
  if (!found) co_return std::unexpected(found.error());
  co_return *found == Found::moved;
}

io::Task<Result<void>> MovingStore::bring_rest(io::Loop& loop, Progress& progress, int pause_share) {
  Query query{.limit = kPage};
  for (;;) {
    const TimePoint began = loop.now();
    Query page = query;
    const auto entries = co_await previous_->list(loop, std::move(page));
    if (!entries) co_return std::unexpected(entries.error());
    for (const Entry& entry : *entries) {
      if (has_moved_on(entry.record) && !carried_by(entry.record)) continue;
      ++progress.seen;
      const auto brought = co_await bring(loop, entry.key);
      if (!brought) co_return std::unexpected(brought.error());
      if (*brought) ++progress.moved;
    }
    if (entries->size() < query.limit) break;
    query.after = entries->back().key;
    co_await io::sleep_for(loop, std::max<Duration>(Duration(0), (loop.now() - began) * pause_share));
  }
  left_.store(0, std::memory_order_relaxed);
  co_return Result<void>{};
}

io::Task<Result<std::optional<Record>>> MovingStore::load(io::Loop& loop, std::string key) {
  if (const auto settled = co_await settle(loop, key); !settled) co_return std::unexpected(settled.error());
  co_return co_await next_->load(loop, std::move(key));
}

// Of a shared store only a walk can tell the records from the marks.
std::uint64_t MovingStore::left() const {
  return shared_ ? left_.load(std::memory_order_relaxed) : previous_->stats().records;
}

// Sessions that are still to come have their room.
bool MovingStore::full() const {
  const std::uint64_t to_come = left();
  if (to_come == 0) return false;
  const Stats stats = next_->stats();
  return stats.records - stats.ended + to_come >= sessions_max_.load(std::memory_order_relaxed);
}

io::Task<Result<Committed>> MovingStore::commit(io::Loop& loop, Batch batch) {
  if (auto checked = check_batch(batch); !checked) co_return pass_on(std::move(checked));
  for (const Write& write : batch.writes) {
    const auto found = co_await settle(loop, write.key);
    if (!found) co_return std::unexpected(found.error());
    const bool begins = *found == Found::nothing && write.expected == 0 && write.record;
    if (!begins) continue;
    if (write.record->state != State::ended && full()) co_return fail(Code::sessions_full, Side::store);
    if (!shared_) continue;
    const auto begun = co_await begin_here(loop, write.key, write.record->expires_at);
    if (!begun) co_return std::unexpected(begun.error());
  }
  // The marks stay as long as what they stand for. Before the commit: this gateway may die after it.
  if (shared_)
    for (const Write& write : batch.writes)
      if (write.record) previous_->touch(loop, write.key, write.record->expires_at);
  co_return co_await next_->commit(loop, std::move(batch));
}

void MovingStore::touch(io::Loop& loop, std::string_view key, WallMillis expires_at) {
  next_->touch(loop, key, expires_at);
  if (shared_) previous_->touch(loop, key, expires_at);
}

// The previous store first: what moves in between is then in both lists, and not in none.
io::Task<Result<std::vector<Entry>>> MovingStore::list(io::Loop& loop, Query query) {
  const std::size_t limit = query.limit;
  Query of_previous = query;
  auto before = co_await list_sessions(loop, *previous_, std::move(of_previous));
  if (!before) co_return pass_on(std::move(before));
  auto now = co_await list_sessions(loop, *next_, std::move(query));
  if (!now) co_return pass_on(std::move(now));
  std::vector<Entry> out;
  auto from = before->begin();
  for (auto to = now->begin(); out.size() < limit && (from != before->end() || to != now->end());) {
    const bool in_both = from != before->end() && to != now->end() && from->key == to->key;
    const bool is_before = to == now->end() || (from != before->end() && from->key < to->key);
    if (is_before) from->in_previous = true;
    out.push_back(std::move(is_before ? *from : *to));
    if (is_before || in_both) ++from;
    if (!is_before) ++to;
  }
  co_return out;
}

io::Task<Result<std::size_t>> MovingStore::sweep(io::Loop& loop, std::size_t most) {
  const auto here = co_await next_->sweep(loop, most);
  if (!here || *here >= most) co_return here;
  const auto there = co_await previous_->sweep(loop, most - *here);
  if (!there || shared_) co_return there ? here : there;  // marks among them, which are no sessions
  co_return *here + *there;
}

Stats MovingStore::stats() const {
  Stats stats = next_->stats();
  const Stats before = previous_->stats();
  stats.previous = {.kind = before.kind,
                    .left = left(),
                    .moved = moved_.load(std::memory_order_relaxed),
                    .refuses = before.poisoned};
  return stats;
}

void MovingStore::set_sessions_max(std::uint64_t most) {
  sessions_max_.store(most, std::memory_order_relaxed);
  next_->set_sessions_max(most);
}

void MovingStore::attach(io::Loop& loop, io::Network& network) {
  next_->attach(loop, network);
  previous_->attach(loop, network);
}

void MovingStore::detach(io::Loop& loop) {
  next_->detach(loop);
  previous_->detach(loop);
}

}  // namespace stateway::store
