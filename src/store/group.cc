#include "store/group.h"

#include <algorithm>
#include <utility>

#include "store/batch.h"

namespace stateway::store {

void Group::begin(WallMillis now, std::uint64_t records_max) {
  records_max_ = records_max;
  now_ = now;
  changes_.clear();
  overlay_.clear();
  count_then_ = count_;
  durable_ = false;
}

Result<Group::Present> Group::present(std::string_view key, Part part) const {
  if (const auto at = overlay_.find(key); at != overlay_.end())
    return Present{at->second, at->second ? at->second->record.expires_at : 0};
  if (auto found = hot_.find(key); found.stored || found.absent)
    return Present{std::move(found.stored), found.expires_at};
  auto stored = database_.get(key, part);
  if (!stored) return pass_on(std::move(stored));
  const WallMillis expires_at = *stored ? (*stored)->record.expires_at : 0;
  return Present{std::move(*stored), expires_at};
}

Result<Committed> Group::add(Batch& batch) {
  presents_.clear();
  const Revision revision = batch.writes.front().record ? batch.writes.front().record->revision : 0;
  std::uint64_t more = 0;
  std::uint64_t fewer = 0;
  for (const Write& write : batch.writes) {
    auto found = present(write.key, Part::head);
    if (!found) return pass_on(std::move(found));
    const bool lives = found->stored && found->expires_at > now_;
    if (presents_.empty() && lives && has_applied(found->stored->record, batch.id))
      return Committed{revision};
    const bool same = (lives ? found->stored->record.revision : 0) == write.expected;
    if (!same || (lives && revives(write, found->stored->record.state)))
      return fail(Code::conflict, Side::store, {}, Retry::always);
    // An end is always taken: without its tombstone, what it ended could be opened again.
    if (write.record && write.record->state != State::ended) ++more;
    if (found->stored && found->stored->record.state != State::ended) ++fewer;
    presents_.push_back(std::move(*found));
  }
  if (more > fewer && count_then_.records - count_then_.ended + more - fewer > records_max_)
    return fail(Code::sessions_full, Side::store);

  const Present& first = presents_.front();
  remember_commit(batch, first.stored && first.expires_at > now_ ? &first.stored->record : nullptr);
  for (std::size_t i = 0; i < batch.writes.size(); ++i) {
    Write& write = batch.writes[i];
    const StoredPtr& before = presents_[i].stored;
    if (write.record) {
      // The index entry stays where it is unless that is too late: the sweep moves it when it gets there,
      // once per idle period instead of once per commit.
      const WallMillis expires_at = write.record->expires_at;
      const WallMillis indexed_at = before ? std::min(before->indexed_at, expires_at) : expires_at;
      put(write.key, before, {.record = std::move(*write.record), .indexed_at = indexed_at});
    } else if (before) {
      erase(write.key, before);
    }
  }
  durable_ = true;
  return Committed{revision};
}

void Group::add_touch(std::string_view key, WallMillis expires_at) {
  const auto found = present(key, Part::whole);
  if (!found || !found->stored) return;
  const Record& record = found->stored->record;
  // Against the record's own expiry: the hot table may show the touched one, which is not written yet.
  if (record.state == State::ended || found->expires_at <= now_ || record.expires_at >= expires_at) return;
  Stored after = *found->stored;
  after.record.expires_at = expires_at;
  put(key, found->stored, std::move(after));
}

bool Group::add_expiry(const Due& due) {
  const auto found = present(due.key, Part::head);
  if (!found) return false;  // unreadable: left for a version that can
  // Erased, moved or made anew since the index was read: then that entry is gone as well.
  if (!found->stored || found->stored->indexed_at != due.at) return false;
  if (found->expires_at <= now_) {
    erase(due.key, found->stored);
    return true;
  }
  const auto whole = present(due.key, Part::whole);
  if (!whole || !whole->stored) return false;
  Stored after = *whole->stored;
  after.record.expires_at = whole->expires_at;
  after.indexed_at = whole->expires_at;
  put(due.key, whole->stored, std::move(after));
  return false;
}

void Group::put(std::string_view key, const StoredPtr& before, Stored after) {
  if (!before) ++count_then_.records;
  if (before && before->record.state == State::ended) --count_then_.ended;
  if (after.record.state == State::ended) ++count_then_.ended;
  database_.put(changes_, key, before.get(), after);
  overlay_.insert_or_assign(key, std::make_shared<const Stored>(std::move(after)));
}

void Group::erase(std::string_view key, const StoredPtr& before) {
  --count_then_.records;
  if (before->record.state == State::ended) --count_then_.ended;
  database_.erase(changes_, key, *before);
  overlay_.insert_or_assign(key, nullptr);
}

Result<void> Group::write() {
  if (changes_.empty()) return {};
  auto written = database_.write(changes_, durable_);
  if (!written) overlay_.clear();
  return written;
}

void Group::publish() {
  for (auto& [key, stored] : overlay_) hot_.publish(key, std::move(stored));
  count_ = count_then_;
  overlay_.clear();
}

}  // namespace stateway::store
