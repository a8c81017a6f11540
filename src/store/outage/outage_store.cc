#include "store/outage/outage_store.h"

#include <utility>

#include "store/batch.h"
#include "store/moved_on.h"

namespace stateway::store::outage {
namespace {

// Of tokens that the inner store knows nothing of; its own are far smaller. What is above belongs to Switch.
constexpr std::uint64_t kTakenHere = std::uint64_t{1} << 55;

// A store that has lost something once more than so often while one load waits says what there is.
constexpr int kRecoveriesMost = 3;

std::unexpected<Error> unavailable(std::string_view context) {
  return fail(Code::store_unavailable, Side::store, std::string(context), Retry::always);
}

template <class T>
bool is_unavailable(const Result<T>& result) {
  return !result && result.error().code == Code::store_unavailable;
}

}  // namespace

/// A commit that is kept here until the store is back.
class OutageStore::Intent final : public Journal::Work {
 public:
  Intent(Local& local, Batch batch)
      : Work(std::string(tag_of(batch.writes.front().key))), local_(local), batch_(std::move(batch)) {}

  Result<std::string> prepare() override {
    const WallMillis now = local_.clock.now();
    for (Write& write : batch_.writes) {
      const Overlay::Known known = local_.overlay.find(write.key, now);
      if (!known.known && write.expected != 0) return unavailable("this session is not known here");
      const Revision present = known.record ? known.record->revision : 0;
      if (present != write.expected) return fail(Code::conflict, Side::store, {}, Retry::always);
      if (&write == &batch_.writes.front()) remember_commit(batch_, known.record ? &*known.record : nullptr);
    }
    return encode_entry(What::intent, now, batch_);
  }

  void publish(const Journal::At& at) override {
    const std::uint64_t moment = local_.next_moment();
    const auto show = [&] {
      for (const Write& write : batch_.writes) local_.overlay.set(write.key, write.record, moment, true);
    };
    local_.backlog->add_pending(tag, item_of(batch_, at, moment, local_.clock.now()), show);
  }

 private:
  Local& local_;
  Batch batch_;
};

/// A commit that the store has acknowledged.
class OutageStore::Acknowledged final : public Journal::Work {
 public:
  Acknowledged(Local& local, Batch batch, std::optional<std::uint64_t> epoch)
      : Work(std::string(tag_of(batch.writes.front().key))),
        local_(local),
        batch_(std::move(batch)),
        epoch_(epoch) {}

  Result<std::string> prepare() override {
    return encode_entry(What::acknowledged, local_.clock.now(), batch_);
  }
  void publish(const Journal::At& at) override {
    local_.backlog->keep(tag, item_of(batch_, at, local_.next_moment(), local_.clock.now()), epoch_);
  }

 private:
  Local& local_;
  const Batch batch_;
  const std::optional<std::uint64_t> epoch_;
};

Result<std::unique_ptr<OutageStore>> OutageStore::open(std::unique_ptr<StateStore> inner,
                                                       const WallClock& clock, Random& random,
                                                       const Remaker& remaker, const Options& options) {
  auto local = Local::open(*inner, clock, remaker, options.local);
  if (!local) return pass_on(std::move(local));
  return std::unique_ptr<OutageStore>(
      new OutageStore(std::move(inner), std::move(*local), random, options.pace));
}

OutageStore::OutageStore(std::unique_ptr<StateStore> inner, std::unique_ptr<Local> local, Random& random,
                         const Pace& pace)
    : inner_(std::move(inner)),
      local_(std::move(local)),
      gateway_(random.u64() | 1),
      reconciler_(*local_, pace) {}

OutageStore::~OutageStore() = default;

void OutageStore::attach(io::Loop& loop, io::Network& network) {
  inner_->attach(loop, network);
  if (home_ != nullptr) return;
  home_ = &loop;
  reconciler_.run(loop);
}

void OutageStore::detach(io::Loop& loop) {
  if (home_ == &loop) reconciler_.stop();
  inner_->detach(loop);
}

Result<std::optional<Record>> OutageStore::known(std::string_view key) const {
  Overlay::Known known = local_->overlay.find(key, local_->clock.now());
  if (!known.known) return unavailable("the store is away, and this session is not known here");
  return std::move(known.record);
}

io::Task<Result<std::optional<Record>>> OutageStore::load(io::Loop& loop, std::string key) {
  const std::string tag(tag_of(key));
  const auto is_here = [&] { return local_->backlog->has_pending(tag); };
  if (is_here()) {
    if (auto here = known(key)) co_return here;
    // It has expired here, and maybe not in the store.
    if (!local_->away(key)) {
      const auto settled = co_await reconciler_.settle(loop, tag);
      if (!settled && !is_unavailable(settled)) co_return unavailable("the store does not take its changes");
    }
  }
  // Again where the store has lost something: what is applied again is found there.
  for (int attempt = 0; !local_->away(key); ++attempt) {
    const std::uint64_t moment = local_->next_moment();
    const TimePoint began = loop.now();
    auto loaded = co_await inner_->load(loop, key);
    local_->met(loop, began, key, loaded);
    if (is_unavailable(loaded)) break;
    if (!loaded) co_return loaded;
    if (is_here())
      if (auto here = known(key)) co_return here;
    const bool lacks = local_->backlog->lacks(key, *loaded, moment, local_->clock.now());
    if (!lacks || attempt == kRecoveriesMost) {
      local_->overlay.learn(key, *loaded, moment);
      co_return loaded;
    }
    const auto recovered = co_await reconciler_.recover(loop, tag);
    if (is_unavailable(recovered)) break;
    if (!recovered) co_return unavailable("the store does not take again what it has lost");
  }
  co_return known(key);
}

io::Task<Result<Committed>> OutageStore::commit(io::Loop& loop, Batch batch) {
  if (auto checked = check_batch(batch); !checked) co_return pass_on(std::move(checked));
  const std::string tag(tag_of(batch.writes.front().key));
  if ((batch.lease & kTakenHere) != 0) batch.lease = 0;
  // Other gateways must see that a session has moved on, and what waits here must come before that.
  for (const Write& write : batch.writes)
    if (write.record && has_moved_on(*write.record)) batch.needs_store = true;
  if (batch.needs_store && !local_->away(tag)) {
    auto settled = co_await reconciler_.settle(loop, tag);
    if (!settled) co_return pass_on(std::move(settled));
  }
  if (!local_->away(tag) && !local_->backlog->has_pending(tag)) {
    auto committed = co_await commit_to_store(loop, batch);
    if (!is_unavailable(committed)) co_return committed;
  }
  if (batch.needs_store) co_return unavailable("the store is away, and this needs it");
  co_return co_await commit_here(loop, std::move(batch));
}

io::Task<Result<Committed>> OutageStore::commit_to_store(io::Loop& loop, const Batch& batch) {
  const std::string& key = batch.writes.front().key;
  const std::string tag(tag_of(key));
  const std::uint64_t epoch = inner_->epoch();
  // Another server may have a record of the expected revision that is not the one that was loaded.
  if (!local_->backlog->is_checked(tag, epoch)) {
    auto recovered = co_await reconciler_.recover(loop, tag);
    if (!recovered) co_return pass_on(std::move(recovered));
  }
  const TimePoint began = loop.now();
  Batch sent = batch;
  auto committed = co_await inner_->commit(loop, std::move(sent));
  local_->met(loop, began, key, committed);
  if (!is_applied(committed)) co_return committed;
  Batch kept = batch;
  co_await keep(loop, std::move(kept), epoch);
  co_return committed;
}

io::Task<void> OutageStore::keep(io::Loop& loop, Batch batch, std::uint64_t epoch) {
  const Overlay::Known before = local_->overlay.find(batch.writes.front().key, local_->clock.now());
  remember_commit(batch, before.record ? &*before.record : nullptr);
  const std::uint64_t moment = local_->next_moment();
  const auto show = [&] {
    for (const Write& write : batch.writes) local_->overlay.set(write.key, write.record, moment, false);
  };
  // What was acknowledged here while the store took its time comes after this.
  local_->backlog->unless_pending(tag_of(batch.writes.front().key), show);
  co_await write_kept(loop, std::move(batch), epoch);
}

io::Task<void> OutageStore::write_kept(io::Loop& loop, Batch batch, std::optional<std::uint64_t> epoch) {
  auto work = std::make_unique<Acknowledged>(*local_, std::move(batch), epoch);
  auto writing = local_->journal->write_acknowledged(loop, std::move(work));
  if (!co_await writing) local_->counts.unkept.fetch_add(1, std::memory_order_relaxed);
}

io::Task<Result<Committed>> OutageStore::commit_here(io::Loop& loop, Batch batch) {
  batch.lease = 0;
  if (batch.id.gateway == 0) batch.id = {.gateway = gateway_, .sequence = ++commits_};
  const Revision revision = batch.writes.front().record ? batch.writes.front().record->revision : 0;
  Batch taken = batch;
  auto work = std::make_unique<Intent>(*local_, std::move(taken));
  auto writing = local_->journal->write_intent(loop, std::move(work));
  auto written = co_await writing;
  if (written) co_return Committed{.revision = revision, .local = true};
  if (written.error().code != Code::conflict) co_return pass_on(std::move(written));
  const std::string tag(tag_of(batch.writes.front().key));
  const bool repeat = co_await is_repeat(loop, std::move(batch));
  if (!repeat) co_return pass_on(std::move(written));
  co_return Committed{.revision = revision, .local = local_->backlog->has_pending(tag)};
}

// Its answer was lost, and somebody has loaded since what it made: to make it again would be once too often.
io::Task<bool> OutageStore::is_repeat(io::Loop& loop, Batch batch) {
  Write& first = batch.writes.front();
  const Overlay::Known known = local_->overlay.find(first.key, local_->clock.now());
  if (!known.record || !has_applied(*known.record, batch.id)) co_return false;
  if (local_->backlog->has_pending(tag_of(first.key)) || !first.record) co_return true;
  first.record->applied = known.record->applied;
  co_await write_kept(loop, std::move(batch), std::nullopt);
  co_return true;
}

void OutageStore::touch(io::Loop& loop, std::string_view key, WallMillis expires_at) {
  local_->overlay.touch(key, expires_at, local_->clock.now());
  if (!local_->away(key) && !local_->backlog->has_pending(tag_of(key))) inner_->touch(loop, key, expires_at);
}

io::Task<Result<std::vector<Entry>>> OutageStore::list(io::Loop& loop, Query query) {
  co_return co_await inner_->list(loop, std::move(query));
}

io::Task<Result<std::size_t>> OutageStore::sweep(io::Loop& loop, std::size_t most) {
  if (local_->breakers.any_open()) co_return std::size_t{0};
  co_return co_await inner_->sweep(loop, most);
}

Stats OutageStore::stats() const {
  Stats stats = inner_->stats();
  const auto get = [](const Counts::Count& count) { return count.load(std::memory_order_relaxed); };
  const Counts& counts = local_->counts;
  stats.outage = OutageStats{.away_since = local_->breakers.since(),
                             .pending = local_->backlog->pending(),
                             .kept = local_->backlog->kept(),
                             .journal_bytes = local_->journal->bytes(),
                             .known = local_->overlay.size(),
                             .known_bytes = local_->overlay.bytes(),
                             .known_lost = local_->overlay.evicted(),
                             .replayed = get(counts.replayed),
                             .remade = get(counts.remade),
                             .overlapped = get(counts.overlapped),
                             .dropped = get(counts.dropped),
                             .recovered = get(counts.recovered),
                             .unkept = get(counts.unkept)};
  return stats;
}

io::Task<Result<std::uint64_t>> OutageStore::take(io::Loop& loop, std::string key, Duration ttl) {
  // The lane of this gateway is held by who asks.
  const auto here = [this] { return kTakenHere | ++leases_; };
  if (local_->away(key) || local_->backlog->has_pending(tag_of(key))) co_return here();
  const TimePoint began = loop.now();
  auto token = co_await inner_->leases()->take(loop, key, ttl);
  local_->met(loop, began, key, token);
  if (is_unavailable(token)) co_return here();
  co_return token;
}

void OutageStore::extend(io::Loop& loop, std::string_view key, std::uint64_t token, Duration ttl) {
  if ((token & kTakenHere) == 0 && !local_->away(key)) inner_->leases()->extend(loop, key, token, ttl);
}

void OutageStore::give_back(io::Loop& loop, std::string_view key, std::uint64_t token) {
  if ((token & kTakenHere) == 0 && !local_->away(key)) inner_->leases()->give_back(loop, key, token);
}

}  // namespace stateway::store::outage
