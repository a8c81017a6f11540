#include "store/outage/backlog.h"

#include <utility>

#include "base/check.h"
#include "store/batch.h"

namespace stateway::store::outage {

Item item_of(const Batch& batch, const Journal::At& at, std::uint64_t moment, WallMillis since) {
  const Write& first = batch.writes.front();
  Item item{.id = batch.id, .key = first.key, .at = at, .moment = moment, .since = since};
  item.erases = !first.record;
  if (item.erases) return item;
  item.revision = first.record->revision;
  item.expires_at = first.record->expires_at;
  item.ends = first.record->state == State::ended;
  return item;
}

bool Backlog::has_pending(std::string_view tag) const {
  const std::lock_guard lock(mutex_);
  const auto at = sessions_.find(tag);
  return at != sessions_.end() && !at->second.pending.empty();
}

void Backlog::add_pending(std::string_view tag, Item item, const std::function<void()>& then) {
  const std::lock_guard lock(mutex_);
  Session& session = sessions_[std::string(tag)];
  if (session.pending.empty() && !session.claimed) waiting_.emplace_back(tag);
  journal_.need(item.at);
  session.pending.push_back(std::move(item));
  ++pending_;
  then();
}

void Backlog::unless_pending(std::string_view tag, const std::function<void()>& then) const {
  const std::lock_guard lock(mutex_);
  const auto at = sessions_.find(tag);
  if (at == sessions_.end() || at->second.pending.empty()) then();
}

std::optional<Item> Backlog::first_pending(std::string_view tag) const {
  const std::lock_guard lock(mutex_);
  const auto at = sessions_.find(tag);
  if (at == sessions_.end() || at->second.pending.empty()) return std::nullopt;
  return at->second.pending.front();
}

void Backlog::settle_first(std::string_view tag, const Settled& how,
                           const std::function<void(bool last)>& then) {
  const std::lock_guard lock(mutex_);
  const auto at = sessions_.find(tag);
  CHECK(at != sessions_.end() && !at->second.pending.empty());
  Session& session = at->second;
  Item item = std::move(session.pending.front());
  session.pending.pop_front();
  --pending_;
  const Journal::At place = item.at;
  if (how.keep) {
    item.moment = how.moment;
    item.since = how.now;
    keep_locked(session, tag, std::move(item), how.epoch);
  }
  journal_.release(place);
  then(session.pending.empty());
  drop_if_empty(at);
}

std::size_t Backlog::pending() const {
  const std::lock_guard lock(mutex_);
  return pending_;
}

std::optional<std::string> Backlog::claim(const std::function<bool(const std::string&)>& wanted) {
  const std::lock_guard lock(mutex_);
  for (std::size_t left = waiting_.size(); left > 0; --left) {
    std::string tag = std::move(waiting_.front());
    waiting_.pop_front();
    const auto at = sessions_.find(tag);
    if (at == sessions_.end() || at->second.pending.empty() || at->second.claimed) continue;
    if (!wanted(tag)) {
      waiting_.push_back(std::move(tag));
      continue;
    }
    at->second.claimed = true;
    return tag;
  }
  return std::nullopt;
}

bool Backlog::claim(const std::string& tag) {
  const std::lock_guard lock(mutex_);
  const auto at = sessions_.find(tag);
  if (at == sessions_.end() || at->second.pending.empty() || at->second.claimed) return false;
  return at->second.claimed = true;
}

void Backlog::give_back(const std::string& tag) {
  const std::lock_guard lock(mutex_);
  const auto at = sessions_.find(tag);
  if (at == sessions_.end()) return;
  at->second.claimed = false;
  if (!at->second.pending.empty()) waiting_.push_back(tag);
  drop_if_empty(at);
}

// What was kept before was checked against some epoch, or was not: this one changes nothing about that.
void Backlog::keep_locked(Session& session, std::string_view tag, Item item,
                          std::optional<std::uint64_t> epoch) {
  if (session.kept.empty()) session.checked = epoch;
  journal_.need(item.at);
  oldest_kept_first_[partition_(tag)].push_back({std::string(tag), item.since});
  session.kept.push_back(std::move(item));
}

void Backlog::keep(std::string_view tag, Item item, std::optional<std::uint64_t> epoch) {
  const std::lock_guard lock(mutex_);
  const auto [at, added] = sessions_.try_emplace(std::string(tag));
  keep_locked(at->second, tag, std::move(item), epoch);
}

std::vector<Item> Backlog::kept(std::string_view tag, std::uint64_t moment) const {
  const std::lock_guard lock(mutex_);
  std::vector<Item> items;
  const auto at = sessions_.find(tag);
  if (at == sessions_.end()) return items;
  for (const Item& item : at->second.kept)
    if (item.moment < moment) {
      if (item.erases) items.clear();
      if (!item.erases) items.push_back(item);
    }
  return items;
}

namespace {

bool lacks_item(const Item& item, const std::optional<Record>& record, WallMillis now) {
  if (item.expires_at <= now) return false;
  if (!record) return true;
  if (item.id.gateway == 0) return item.ends || record->revision < item.revision;
  if (has_applied(*record, item.id)) return false;
  // A record remembers the last few gateways only.
  return record->applied.size() < kAppliedMax || record->revision < item.revision;
}

}  // namespace

bool Backlog::lacks(const std::string& key, const std::optional<Record>& record, std::uint64_t moment,
                    WallMillis now) const {
  if (record && record->state == State::ended) return false;
  const std::lock_guard lock(mutex_);
  const auto at = sessions_.find(tag_of(key));
  if (at == sessions_.end() || at->second.kept.empty()) return false;
  const std::deque<Item>& kept = at->second.kept;
  // Of one gateway the last one tells of all before it.
  std::optional<std::uint64_t> told;
  for (auto item = kept.rbegin(); item != kept.rend(); ++item) {
    if (item->moment >= moment || item->key != key || told == item->id.gateway) continue;
    if (item->erases) return false;
    if (lacks_item(*item, record, now)) return true;
    if (item->id.gateway == 0) continue;
    told = item->id.gateway;
    if (kept.front().id.gateway == *told) return false;
  }
  return false;
}

void Backlog::disregard(std::string_view tag, const Item& item) {
  const std::lock_guard lock(mutex_);
  const auto at = sessions_.find(tag);
  if (at == sessions_.end()) return;
  for (Item& kept : at->second.kept)
    if (kept.moment == item.moment) kept.expires_at = 0;
}

void Backlog::forget_kept(WallMillis until, const std::function<bool(std::size_t)>& spared) {
  const std::lock_guard lock(mutex_);
  for (auto& [partition, oldest_first] : oldest_kept_first_) {
    if (spared(partition)) continue;
    while (!oldest_first.empty() && oldest_first.front().since < until) {
      const auto at = sessions_.find(oldest_first.front().tag);
      CHECK(at != sessions_.end() && !at->second.kept.empty());
      journal_.release(at->second.kept.front().at);
      at->second.kept.pop_front();
      drop_if_empty(at);
      oldest_first.pop_front();
    }
  }
}

std::size_t Backlog::kept() const {
  const std::lock_guard lock(mutex_);
  std::size_t kept = 0;
  for (const auto& [partition, oldest_first] : oldest_kept_first_) kept += oldest_first.size();
  return kept;
}

bool Backlog::is_checked(std::string_view tag, std::uint64_t epoch) const {
  const std::lock_guard lock(mutex_);
  const auto at = sessions_.find(tag);
  return at == sessions_.end() || at->second.kept.empty() || at->second.checked == epoch;
}

void Backlog::set_checked(std::string_view tag, std::uint64_t epoch) {
  const std::lock_guard lock(mutex_);
  if (const auto at = sessions_.find(tag); at != sessions_.end()) at->second.checked = epoch;
}

std::vector<std::string> Backlog::unchecked(std::uint64_t epoch) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> tags;
  for (const auto& [tag, session] : sessions_)
    if (!session.kept.empty() && session.checked != epoch) tags.push_back(tag);
  return tags;
}

void Backlog::drop_if_empty(Sessions::iterator at) {
  if (at->second.pending.empty() && at->second.kept.empty() && !at->second.claimed) sessions_.erase(at);
}

}  // namespace stateway::store::outage
