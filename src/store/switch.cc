#include "store/switch.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "store/batch.h"
#include "store/moved_on.h"

namespace stateway::store {
namespace {

constexpr std::size_t kSlots = 64;   // of counters, so that loops do not share one
constexpr unsigned kTokenBits = 56;  // of a store's lease's token, or of who stands in front of it
constexpr Duration kLateTurn = 5s;   // a commit ends well before
constexpr std::uint64_t kTokenMask = (std::uint64_t{1} << kTokenBits) - 1;

struct alignas(64) Slot {
  std::atomic<std::int64_t> calls{0};
};

std::unexpected<Error> has_gone() {
  return fail(Code::store_unavailable, Side::store,
              "the session has moved on to another store: this gateway's [store] is outdated, reload it",
              Retry::always);
}

}  // namespace

/// A store and the calls under way in it. Stays, without its store, as long as the switch: a call may look at
/// it just when it goes out of force.
struct Switch::Generation {
  std::shared_ptr<StateStore> store;
  std::uint64_t lease_tag = 0;  // the same for stores with the same leases
  std::array<Slot, kSlots> slots;

  bool idle() const {
    return std::ranges::all_of(slots, [](const Slot& slot) { return slot.calls.load() == 0; });
  }
};

/// A call under way.
class Switch::Use {
 public:
  explicit Use(const Switch& all, const void* who = nullptr)
      : slot_(std::hash<const void*>{}(who) / 64 % kSlots) {
    for (;;) {
      generation_ = all.current_.load();
      generation_->slots[slot_].calls.fetch_add(1);
      // Only who is counted before the generation goes out of force is waited for.
      if (generation_ == all.current_.load()) return;
      leave();
    }
  }
  ~Use() { leave(); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

  StateStore& store() const { return *generation_->store; }
  /// `token` as the sessions know it: above the store's own stands whose it is.
  std::uint64_t marked(std::uint64_t token) const {
    return (generation_->lease_tag & 0xff) << kTokenBits | token;
  }
  bool gave(std::uint64_t token) const { return marked(token & kTokenMask) == token; }
  bool in_force(const Switch& all) const { return generation_ == all.current_.load(); }

 private:
  void leave() { generation_->slots[slot_].calls.fetch_sub(1); }

  const std::size_t slot_;
  Generation* generation_ = nullptr;
};

Switch::Switch(std::shared_ptr<StateStore> first) {
  generations_.push_back(std::make_unique<Generation>());
  generations_.back()->store = std::move(first);
  current_ = generations_.back().get();
}

Switch::~Switch() = default;

void Switch::use(std::shared_ptr<StateStore> next) {
  const Generation& before = *generations_.back();
  auto generation = std::make_unique<Generation>();
  const bool same_leases = before.store->leases() == next->leases();
  generation->lease_tag = before.lease_tag + (same_leases ? 0 : 1);
  generation->store = std::move(next);
  generations_.push_back(std::move(generation));
  current_ = generations_.back().get();
}

bool Switch::settled() {
  bool all = true;
  for (const auto& generation : generations_) {
    if (generation == generations_.back()) continue;
    if (generation->store != nullptr && generation->idle()) generation->store.reset();
    all = all && generation->store == nullptr;
  }
  return all;
}

// In a store that only this gateway can use, a mark that still carries its record is what a crash left of a
// move that nobody will end: the operator went back.
io::Task<Result<void>> Switch::take_back(io::Loop& loop, StateStore& store, std::string key,
                                         const Record& mark) {
  auto carried = carried_by(mark);
  if (!carried || store.leases() != nullptr) co_return has_gone();
  carried->revision = mark.revision + 1;
  Batch batch;
  batch.writes.push_back({.key = std::move(key), .expected = mark.revision, .record = std::move(carried)});
  const auto committed = co_await store.commit(loop, std::move(batch));
  if (!committed && committed.error().code != Code::conflict) co_return std::unexpected(committed.error());
  co_return Result<void>{};
}

io::Task<Result<std::optional<Record>>> Switch::load(io::Loop& loop, std::string key) {
  constexpr int kAttempts = 16;
  for (int attempt = 0; attempt < kAttempts;) {
    const Use use(*this, &loop);
    auto loaded = co_await use.store().load(loop, key);
    if (!use.in_force(*this)) continue;
    if (!loaded || !*loaded || !has_moved_on(**loaded)) co_return loaded;
    if (auto taken = co_await take_back(loop, use.store(), key, **loaded); !taken)
      co_return pass_on(std::move(taken));
    ++attempt;
  }
  co_return has_gone();
}

io::Task<Result<Committed>> Switch::commit(io::Loop& loop, Batch batch) {
  const Use use(*this, &loop);
  if (batch.lease != 0) {
    if (use.store().leases() == nullptr)
      batch.lease = 0;  // alone: this gateway's own lanes are enough
    else if (use.gave(batch.lease))
      batch.lease &= kTokenMask;
    else
      co_return co_await commit_with_new_lease(loop, use.store(), std::move(batch));
  }
  co_return co_await use.store().commit(loop, std::move(batch));
}

// Its turn began in a store that has gone out of force, and others take theirs in this one. It still counts
// if nobody has it here, and nobody has committed since: else it was lost.
io::Task<Result<Committed>> Switch::commit_with_new_lease(io::Loop& loop, StateStore& store, Batch batch) {
  Leases& leases = *store.leases();
  const std::string key = batch.writes.front().key;
  const auto token = co_await leases.take(loop, key, kLateTurn);
  if (!token) co_return std::unexpected(token.error());
  if (*token == 0) co_return fail(Code::lease_lost, Side::store);
  batch.lease = *token;
  auto committed = co_await store.commit(loop, std::move(batch));
  if (!is_applied(committed)) leases.give_back(loop, key, *token);
  if (!committed && committed.error().code == Code::conflict) co_return fail(Code::lease_lost, Side::store);
  co_return committed;
}

void Switch::touch(io::Loop& loop, std::string_view key, WallMillis expires_at) {
  const Use use(*this, &loop);
  use.store().touch(loop, key, expires_at);
}

io::Task<Result<std::vector<Entry>>> Switch::list(io::Loop& loop, Query query) {
  for (;;) {
    const Use use(*this, &loop);
    Query again = query;
    auto listed = co_await list_sessions(loop, use.store(), std::move(again));
    if (use.in_force(*this)) co_return listed;
  }
}

io::Task<Result<std::size_t>> Switch::sweep(io::Loop& loop, std::size_t most) {
  const Use use(*this, &loop);
  co_return co_await use.store().sweep(loop, most);
}

Stats Switch::stats() const { return Use(*this).store().stats(); }
void Switch::set_sessions_max(std::uint64_t most) { Use(*this).store().set_sessions_max(most); }
std::unique_ptr<Moment> Switch::moment() { return Use(*this).store().moment(); }
void Switch::note_left(std::uint64_t records) { Use(*this).store().note_left(records); }
Leases* Switch::leases() { return Use(*this).store().leases() == nullptr ? nullptr : this; }
std::uint64_t Switch::epoch() const { return Use(*this).store().epoch(); }
bool Switch::wants_intents() const { return Use(*this).store().wants_intents(); }
std::size_t Switch::partition(std::string_view key) const { return Use(*this).store().partition(key); }

io::Task<Result<std::uint64_t>> Switch::take(io::Loop& loop, std::string key, Duration ttl) {
  const Use use(*this, &loop);
  Leases* const leases = use.store().leases();
  if (leases == nullptr) co_return use.marked(1);  // the store in force has none any more: see commit
  auto token = co_await leases->take(loop, std::move(key), ttl);
  if (!token || *token == 0) co_return token;
  if (*token > kTokenMask)
    co_return fail(Code::store_unavailable, Side::store, "a lease's token is greater than one can be");
  co_return use.marked(*token);
}

void Switch::extend(io::Loop& loop, std::string_view key, std::uint64_t token, Duration ttl) {
  const Use use(*this, &loop);
  Leases* const leases = use.store().leases();
  if (leases != nullptr && use.gave(token)) leases->extend(loop, key, token & kTokenMask, ttl);
}

void Switch::give_back(io::Loop& loop, std::string_view key, std::uint64_t token) {
  const Use use(*this, &loop);
  Leases* const leases = use.store().leases();
  if (leases != nullptr && use.gave(token)) leases->give_back(loop, key, token & kTokenMask);
}

}  // namespace stateway::store
