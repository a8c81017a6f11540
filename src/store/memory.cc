#include "store/memory.h"

#include <algorithm>

#include "store/batch.h"

namespace stateway::store {
namespace {

WallMillis in_millis(Duration d) { return std::chrono::duration_cast<std::chrono::milliseconds>(d).count(); }

}  // namespace

io::Task<Result<std::optional<Record>>> MemoryStore::load(io::Loop&, std::string key) {
  const WallMillis now = clock_.now();
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(key);
  if (found == records_.end() || found->second.expires_at <= now) co_return std::optional<Record>();
  co_return std::optional<Record>(found->second);
}

io::Task<Result<Committed>> MemoryStore::commit(io::Loop&, Batch batch) { co_return apply(std::move(batch)); }

const Record* MemoryStore::present(std::string_view key, WallMillis now) const {
  const auto found = records_.find(key);
  return found == records_.end() || found->second.expires_at <= now ? nullptr : &found->second;
}

Result<Committed> MemoryStore::apply(Batch batch) {
  if (auto checked = check_batch(batch); !checked) return pass_on(std::move(checked));
  const WallMillis now = clock_.now();
  const std::lock_guard lock(mutex_);
  const Revision revision = batch.writes.front().record ? batch.writes.front().record->revision : 0;
  const Record* const before = present(batch.writes.front().key, now);
  if (before != nullptr && has_applied(*before, batch.id)) return Committed{revision};
  if (auto held = check_conditions(batch, now); !held) {
    if (held.error().code == Code::conflict) ++stats_.conflicts;
    return pass_on(std::move(held));
  }
  if (batch.lease != 0) leases_.erase(leases_.find(batch.writes.front().key));
  remember_commit(batch, before);
  for (Write& write : batch.writes) {
    if (write.record) {
      put(std::move(write.key), std::move(*write.record));
    } else if (const auto at = records_.find(write.key); at != records_.end()) {
      erase(at);
    }
  }
  ++stats_.commits;
  ++stats_.groups;
  return Committed{revision};
}

Result<void> MemoryStore::check_conditions(const Batch& batch, WallMillis now) {
  if (batch.lease != 0 && find_lease(batch.writes.front().key, batch.lease) == leases_.end())
    return fail(Code::lease_lost, Side::store);
  std::uint64_t more = 0;
  std::uint64_t fewer = 0;
  for (const Write& write : batch.writes) {
    const auto found = records_.find(write.key);
    const bool stored = found != records_.end();
    const Revision present = stored && found->second.expires_at > now ? found->second.revision : 0;
    if (present != write.expected || (present != 0 && revives(write, found->second.state)))
      return fail(Code::conflict, Side::store, {}, Retry::always);
    // An end is always taken: without its tombstone, what it ended could be opened again.
    if (write.record && write.record->state != State::ended) ++more;
    if (stored && found->second.state != State::ended) ++fewer;
  }
  if (more > fewer && records_.size() - ended_ + more - fewer > records_max_)
    return fail(Code::sessions_full, Side::store);
  return {};
}

void MemoryStore::put(std::string key, Record record) {
  const auto [at, created] = records_.try_emplace(std::move(key));
  if (!created) unlist(*at);
  at->second = std::move(record);
  if (at->second.state == State::ended) ++ended_;
  by_expiry_.emplace(at->second.expires_at, at->first);
  if (!at->second.principal.empty()) by_principal_.emplace(at->second.principal, at->first);
}

void MemoryStore::erase(Records::iterator at) {
  unlist(*at);
  records_.erase(at);
}

void MemoryStore::unlist(const Records::value_type& entry) {
  if (entry.second.state == State::ended) --ended_;
  by_expiry_.erase({entry.second.expires_at, entry.first});
  if (!entry.second.principal.empty()) by_principal_.erase({entry.second.principal, entry.first});
}

void MemoryStore::touch(io::Loop&, std::string_view key, WallMillis expires_at) {
  const WallMillis now = clock_.now();
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(key);
  if (found == records_.end()) return;
  Record& record = found->second;
  if (record.state == State::ended || record.expires_at <= now || record.expires_at >= expires_at) return;
  auto entry = by_expiry_.extract({record.expires_at, found->first});
  entry.value().first = expires_at;
  by_expiry_.insert(std::move(entry));
  record.expires_at = expires_at;
}

io::Task<Result<std::vector<Entry>>> MemoryStore::list(io::Loop&, Query query) {
  const WallMillis now = clock_.now();
  const std::lock_guard lock(mutex_);
  if (!query.principal.empty()) co_return list_of_principal(query, now);
  std::vector<Entry> entries;
  for (auto at = query.after < query.prefix ? records_.lower_bound(query.prefix)
                                            : records_.upper_bound(query.after);
       at != records_.end() && at->first.starts_with(query.prefix) && entries.size() < query.limit; ++at) {
    if (at->second.expires_at > now) entries.emplace_back(at->first, at->second);
  }
  co_return entries;
}

std::vector<Entry> MemoryStore::list_of_principal(const Query& query, WallMillis now) const {
  std::vector<Entry> entries;
  const std::pair start(query.principal, std::max(query.prefix, query.after));
  for (auto at = by_principal_.lower_bound(start);
       at != by_principal_.end() && at->first == query.principal && at->second.starts_with(query.prefix) &&
       entries.size() < query.limit;
       ++at) {
    const Record& record = records_.find(at->second)->second;
    if (at->second != query.after && record.expires_at > now) entries.emplace_back(at->second, record);
  }
  return entries;
}

io::Task<Result<std::size_t>> MemoryStore::sweep(io::Loop&, std::size_t most) {
  const WallMillis now = clock_.now();
  const std::lock_guard lock(mutex_);
  std::size_t removed = 0;
  while (removed < most && !by_expiry_.empty() && by_expiry_.begin()->first <= now) {
    erase(records_.find(by_expiry_.begin()->second));
    ++removed;
  }
  stats_.swept += removed;
  co_return removed;
}

Stats MemoryStore::stats() const {
  const std::lock_guard lock(mutex_);
  Stats stats = stats_;
  stats.records = records_.size();
  stats.ended = ended_;
  return stats;
}

void MemoryStore::set_sessions_max(std::uint64_t most) {
  const std::lock_guard lock(mutex_);
  records_max_ = most;
}

// The lease if it is still this token's; with the mutex held.
std::map<std::string, MemoryStore::Lease, std::less<>>::iterator MemoryStore::find_lease(
    std::string_view key, std::uint64_t token) {
  const auto found = leases_.find(key);
  const bool ours =
      found != leases_.end() && found->second.token == token && found->second.until > clock_.now();
  return ours ? found : leases_.end();
}

io::Task<Result<std::uint64_t>> MemoryStore::take(io::Loop&, std::string key, Duration ttl) {
  const std::lock_guard lock(mutex_);
  const WallMillis now = clock_.now();
  Lease& lease = leases_[std::move(key)];
  if (lease.until > now) co_return std::uint64_t{0};
  lease = {.token = ++last_token_, .until = now + in_millis(ttl)};
  co_return lease.token;
}

void MemoryStore::extend(io::Loop&, std::string_view key, std::uint64_t token, Duration ttl) {
  const std::lock_guard lock(mutex_);
  if (const auto lease = find_lease(key, token); lease != leases_.end())
    lease->second.until = clock_.now() + in_millis(ttl);
}

void MemoryStore::give_back(io::Loop&, std::string_view key, std::uint64_t token) {
  const std::lock_guard lock(mutex_);
  if (const auto lease = find_lease(key, token); lease != leases_.end()) leases_.erase(lease);
}

}  // namespace stateway::store
