#include "store/outage/reconciler.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "store/batch.h"

namespace stateway::store::outage {
namespace {

constexpr Duration kAskAgain = 5ms;  // whether somebody else has settled a session
constexpr Duration kSettleWait = 1s;

void add(Counts::Count& count) { count.fetch_add(1, std::memory_order_relaxed); }

void tell(const std::string& tag, Fate fate, OnConflict on_conflict) {
  const bool overlap = fate == Fate::overlapped || fate == Fate::overlap_dropped;
  if (!overlap && !is_dropped(fate)) return;
  log::warn(overlap ? "a change kept while the store was away met another one in the same places"
                    : "a change kept while the store was away is dropped",
            {{"session", base64url_encode(as_bytes(tag))},
             {"outcome", fate_name(fate)},
             {"on_conflict", on_conflict == OnConflict::journal ? "journal" : "store"}});
}

}  // namespace

io::Task<Result<JournalEntry>> Reconciler::read(io::Loop& loop, Journal::At at) {
  auto look = [this, at] { return local_.journal->read(at); };
  auto reading = local_.reads.run(loop, std::move(look));
  co_return co_await reading;
}

io::Task<Result<void>> Reconciler::recover(io::Loop& loop, std::string tag) {
  const std::uint64_t epoch = local_.inner.epoch();
  const std::uint64_t moment = local_.next_moment();
  const std::vector<Item> items = local_.backlog->kept(tag, moment);
  if (items.empty()) co_return Result<void>{};
  const TimePoint began = loop.now();
  const std::string key = items.back().key;
  const auto present = co_await local_.inner.load(loop, key);
  local_.met(loop, began, key, present);
  if (!present) co_return std::unexpected(present.error());
  if (!local_.backlog->lacks(key, *present, moment, local_.clock.now())) {
    local_.backlog->set_checked(tag, epoch);
    co_return Result<void>{};
  }
  for (bool behind = true; behind;) {
    auto applied = co_await apply_again(loop, tag, items);
    if (!applied) co_return std::unexpected(applied.error());
    behind = *applied == Fate::behind;
  }
  local_.backlog->set_checked(tag, epoch);
  co_return Result<void>{};
}

// Fate::behind: the store came back older meanwhile, so that it has to begin anew.
io::Task<Result<Fate>> Reconciler::apply_again(io::Loop& loop, const std::string& tag,
                                               const std::vector<Item>& items) {
  const Item* before = nullptr;  // of the same key
  const IsBehind is_behind = [&before](const std::optional<Record>& record) {
    if (before == nullptr || (record && record->state == State::ended)) return false;
    return !record || !has_applied(*record, before->id);
  };
  for (const Item& item : items) {
    if (before != nullptr && before->key != item.key) before = nullptr;
    auto entry = co_await read(loop, item.at);
    if (!entry) {  // it made room for others
      local_.backlog->disregard(tag, item);
      continue;
    }
    auto replayed = co_await replay(loop, local_.inner, std::move(entry->batch), items.back().revision,
                                    is_behind, local_.clock, local_.remaker, local_.on_conflict);
    if (!replayed) co_return std::unexpected(replayed.error());
    const Fate fate = replayed->fate;
    if (fate == Fate::behind) co_return fate;
    if (is_dropped(fate)) local_.backlog->disregard(tag, item);
    if (!is_dropped(fate) && item.id.gateway != 0) before = &item;
    if (fate == Fate::there) continue;
    add(is_dropped(fate) ? local_.counts.dropped : local_.counts.recovered);
    tell(tag, fate, local_.on_conflict);
  }
  co_return Fate::applied;
}

io::Task<Result<void>> Reconciler::settle(io::Loop& loop, std::string tag) {
  const TimePoint deadline = loop.now() + kSettleWait;
  while (local_.backlog->has_pending(tag)) {
    if (local_.backlog->claim(tag)) {
      auto result = co_await settle_claimed(loop, tag);
      if (!result) co_return result;
    } else if (loop.now() >= deadline) {
      co_return fail(Code::store_unavailable, Side::store,
                     "the session's commits are on their way to the store");
    } else {
      co_await io::sleep_for(loop, kAskAgain);
    }
  }
  co_return Result<void>{};
}

namespace {

// Also when the task that has claimed it is destroyed.
class Claimed {
 public:
  Claimed(Backlog& backlog, const std::string& tag) : backlog_(backlog), tag_(tag) {}
  Claimed(const Claimed&) = delete;
  Claimed& operator=(const Claimed&) = delete;
  ~Claimed() { backlog_.give_back(tag_); }

 private:
  Backlog& backlog_;
  const std::string tag_;
};

}  // namespace

io::Task<Result<void>> Reconciler::settle_claimed(io::Loop& loop, std::string tag) {
  const Claimed claimed(*local_.backlog, tag);
  const std::uint64_t epoch = local_.inner.epoch();
  if (!local_.backlog->is_checked(tag, epoch)) {
    auto recovered = co_await recover(loop, tag);
    if (!recovered) co_return recovered;
  }
  while (const auto item = local_.backlog->first_pending(tag)) {
    auto entry = co_await read(loop, item->at);
    if (!entry) {
      drop_unreadable(tag, *item, entry.error());
      continue;
    }
    const Overlay::Known known = local_.overlay.find(item->key, 0);  // also when it has expired here
    Record* const made = entry->batch.writes.front().record ? &*entry->batch.writes.front().record : nullptr;
    if (known.record && made != nullptr && made->state != State::ended)  // it was used meanwhile
      made->expires_at = std::max(made->expires_at, known.record->expires_at);
    const TimePoint began = loop.now();
    Batch batch = entry->batch;
    const IsBehind is_behind = [this, &item](const std::optional<Record>& record) {
      return local_.backlog->lacks(item->key, record, local_.next_moment(), local_.clock.now());
    };
    auto replayed = co_await replay(loop, local_.inner, std::move(batch),
                                    known.record ? known.record->revision : item->revision, is_behind,
                                    local_.clock, local_.remaker, local_.on_conflict);
    local_.met(loop, began, item->key, replayed);
    if (!replayed) co_return std::unexpected(replayed.error());
    if (replayed->fate == Fate::behind) {
      auto recovered = co_await recover(loop, tag);
      if (!recovered) co_return recovered;
      continue;
    }
    settled(tag, *entry, *replayed, epoch);
  }
  co_return Result<void>{};
}

void Reconciler::settled(const std::string& tag, const JournalEntry& entry, const Replayed& replayed,
                         std::uint64_t epoch) {
  Counts& counts = local_.counts;
  const Fate fate = replayed.fate;
  add(is_dropped(fate) ? counts.dropped : counts.replayed);
  if (fate == Fate::remade) add(counts.remade);
  if (fate == Fate::overlapped || fate == Fate::overlap_dropped) add(counts.overlapped);
  tell(tag, fate, local_.on_conflict);
  const std::uint64_t moment = local_.next_moment();
  const std::vector<Write>& writes = entry.batch.writes;
  const Backlog::Settled how{.keep = !is_dropped(fate) && writes.front().record,
                             .moment = moment,
                             .now = local_.clock.now(),
                             .epoch = epoch};
  local_.backlog->settle_first(tag, how, [&](bool last) {
    if (!last) return;
    local_.overlay.set(writes.front().key, replayed.record, moment, false);
    for (std::size_t i = 1; i < writes.size(); ++i)
      local_.overlay.set(writes[i].key, writes[i].record, moment, false);
  });
  const What became = is_dropped(fate) ? What::dropped : What::done;
  local_.journal->write_done(encode_entry(became, local_.clock.now(), entry.batch));
}

void Reconciler::drop_unreadable(const std::string& tag, const Item& item, const Error& error) {
  log::error("a commit kept while the store was away cannot be read",
             {{"session", base64url_encode(as_bytes(tag))}, {"error", error.context}});
  add(local_.counts.dropped);
  local_.backlog->settle_first(tag, {.keep = false}, [&](bool last) {
    if (last) local_.overlay.forget(item.key);
  });
}

void Reconciler::run(io::Loop& home) {
  home_ = &home;
  tasks_.spawn(look());
}

io::Task<void> Reconciler::look() {
  for (;;) {
    co_await io::sleep_for(*home_, pace_.look);
    look_once();
  }
}

void Reconciler::look_once() {
  for (Breakers::Probe& due : local_.breakers.probes()) {
    if (std::ranges::find(probing_, due.partition) != probing_.end()) continue;
    probing_.push_back(due.partition);
    tasks_.spawn(probe(std::move(due)));
  }
  const std::uint64_t epoch = local_.inner.epoch();
  if (checks_ == 0 && (epoch != checking_ || checks_failed_ || back_)) begin_checks(epoch);
  while (settlers_ < pace_.at_once_most) {
    const std::size_t before = settlers_;
    tasks_.spawn(settle_all());
    if (settlers_ == before) break;  // there was nothing to do
  }
  // While a server is away nobody knows what it will have lost.
  const auto away = [this](std::size_t partition) { return local_.breakers.open(partition); };
  if (checks_ == 0 && !checks_failed_ && !back_)
    local_.backlog->forget_kept(local_.clock.now() - pace_.kept, away);
  local_.journal->tidy();
}

void Reconciler::begin_checks(std::uint64_t epoch) {
  checking_ = epoch;
  checks_failed_ = back_ = false;
  const auto tags = local_.backlog->unchecked(epoch);
  for (const std::string& tag : tags)
    if (!local_.away(tag)) to_check_.push_back(tag);
  const std::size_t sessions = to_check_.size();
  if (sessions > 0) log::info("checking what the store may have lost", {{"sessions", sessions}});
  for (std::size_t i = 0; i < std::min(pace_.at_once_most, sessions); ++i) tasks_.spawn(check_all());
}

io::Task<void> Reconciler::probe(Breakers::Probe probe) {
  const auto loaded = co_await local_.inner.load(*home_, probe.key);
  const bool answered = loaded || loaded.error().code != Code::store_unavailable;
  std::erase(probing_, probe.partition);
  if (!local_.breakers.probed(probe.partition, answered, home_->now())) co_return;
  back_ = true;
  log::info("the store is back", {{"pending", local_.backlog->pending()}});
}

bool Reconciler::may_settle(const std::string& tag) const { return !local_.away(tag); }

io::Task<void> Reconciler::settle_all() {
  const auto wanted = [this](const std::string& tag) { return may_settle(tag); };
  bool counted = false;
  while (auto tag = local_.backlog->claim(wanted)) {
    if (!counted) ++settlers_;
    counted = true;
    const auto result = co_await settle_claimed(*home_, std::move(*tag));
    const bool refused = !result && result.error().code != Code::store_unavailable;
    if (refused && !refused_)
      log::warn("the store does not take what was kept while it was away",
                {{"code", code_name(result.error().code)}, {"error", result.error().context}});
    refused_ = refused;
    if (!result) break;  // the next look tries again
  }
  if (counted) --settlers_;
}

io::Task<void> Reconciler::check_all() {
  ++checks_;
  while (!to_check_.empty() && !checks_failed_) {
    std::string tag = std::move(to_check_.front());
    to_check_.pop_front();
    const auto recovered = co_await recover(*home_, std::move(tag));
    // One that is refused is asked for again when somebody loads it: the others are not to wait for that.
    if (!recovered && recovered.error().code == Code::store_unavailable) checks_failed_ = true;
  }
  if (--checks_ == 0) to_check_.clear();
}

}  // namespace stateway::store::outage
