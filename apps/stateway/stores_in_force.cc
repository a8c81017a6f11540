#include "stateway/stores_in_force.h"

#include <utility>

#include "base/log.h"
#include "stateway/stores.h"

namespace stateway {
namespace {

constexpr Duration kTick = 10ms;
// The rest moves in pages, each followed by a pause of so many times its own time.
constexpr int kPauseShare = 1;

const StoresInForce::Place* find(const StoresInForce::Set* set, const store::StoreOptions& options) {
  if (set == nullptr) return nullptr;
  if (store::same_place(set->store.options, options)) return &set->store;
  if (set->previous && store::same_place(set->previous->options, options)) return &*set->previous;
  return nullptr;
}

/// The place in force that has the journal's folder which another store would have.
const StoresInForce::Place* user_of_journal(const StoresInForce::Set* set,
                                            const store::StoreOptions& options) {
  const auto uses = [&](const StoresInForce::Place& place) {
    return place.options.on_outage == store::OnOutage::journal &&
           place.options.journal_path == options.journal_path;
  };
  if (set == nullptr || options.on_outage != store::OnOutage::journal) return nullptr;
  if (uses(set->store)) return &set->store;
  return set->previous && uses(*set->previous) ? &*set->previous : nullptr;
}

Result<StoresInForce::Place> open_place(const store::StoreOptions& options,
                                        const StoresInForce::Set* in_force, const WallClock& clock) {
  if (const StoresInForce::Place* present = find(in_force, options))
    return StoresInForce::Place{.options = present->options, .store = present->store};
  if (const StoresInForce::Place* user = user_of_journal(in_force, options))
    return fail(Code::invalid_argument, Side::store,
                "the journal in " + options.journal_path + " is of the store in force, " +
                    name_of(user->options) + ": give another store another store.journal");
  auto opened = open_store(options, clock);
  if (!opened) return pass_on(std::move(opened));
  return StoresInForce::Place{.options = options, .store = std::move(*opened), .is_new = true};
}

}  // namespace

Result<StoresInForce::Set> StoresInForce::open(const config::Config& next, const Set* in_force,
                                               const WallClock& clock) {
  auto store = open_place(next.store, in_force, clock);
  if (!store) return pass_on(std::move(store));
  Set out{.store = std::move(*store), .previous = {}};
  out.store.options.sessions_max = next.store.sessions_max;
  if (!next.previous_store) return out;
  // Before it is opened: an embedded one would be said to be another gateway's.
  const auto two = known_as_two(next.store, *next.previous_store, clock);
  if (!two)
    return fail(Code::invalid_argument, Side::store, "[store] and [store.previous]: " + two.error().context);
  out.known_as_two = *two;
  auto previous = open_place(*next.previous_store, in_force, clock);
  if (!previous) return pass_on(std::move(previous));
  out.previous = std::move(*previous);
  return out;
}

// Of the set in force.
std::shared_ptr<store::StateStore> StoresInForce::joined() {
  moving_.reset();
  const std::uint64_t most = set_.store.options.sessions_max;
  if (!set_.previous) {
    set_.store.store->set_sessions_max(most);
    return set_.store.store;
  }
  moving_ =
      std::make_shared<store::MovingStore>(set_.store.store, set_.previous->store, most, set_.known_as_two);
  return moving_;
}

StoresInForce::StoresInForce(Set first, std::vector<std::unique_ptr<GatewayLoop>>& loops)
    : loops_(loops), set_(std::move(first)), switch_(joined()) {}

void StoresInForce::attach() {
  for (Place* place : {&set_.store, set_.previous ? &*set_.previous : nullptr}) {
    if (place == nullptr) continue;
    for (const auto& loop : loops_) place->store->attach(loop->loop(), loop->network());
    place->is_new = false;
  }
}

io::Task<void> StoresInForce::settled() {
  while (leaving_ > 0) co_await io::sleep_for(home(), kTick);
}

io::Task<void> StoresInForce::attach_on_all(Place& place) {
  if (!std::exchange(place.is_new, false)) co_return;
  for (const auto& loop : loops_) {
    auto job = [store = place.store, &loop = *loop] {
      store->attach(loop.loop(), loop.network());
      return true;
    };
    auto call = io::call_on(home(), loop->loop(), std::move(job));
    (void)co_await call;
  }
}

io::Task<void> StoresInForce::put_in_force(Set next) {
  const auto store_of = [](const std::optional<Place>& place) {
    return place ? place->store : std::shared_ptr<store::StateStore>();
  };
  const bool same =
      next.store.store == set_.store.store && store_of(next.previous) == store_of(set_.previous);
  if (same) {
    set_.store.options.sessions_max = next.store.options.sessions_max;
    switch_.set_sessions_max(next.store.options.sessions_max);
    co_return;
  }
  co_await attach_on_all(next.store);
  if (next.previous) co_await attach_on_all(*next.previous);
  // From here to the switch nothing waits: somebody may have begun a copy until now.
  rest_.cancel_all();
  copying_ = "no";
  std::vector<std::shared_ptr<store::StateStore>> leaving;
  for (const auto& before : {set_.store.store, store_of(set_.previous)})
    if (before && before != next.store.store && before != store_of(next.previous)) leaving.push_back(before);
  set_ = std::move(next);
  switch_.use(joined());
  ending_.spawn(see_off(std::move(leaving)));
}

// Also with nothing to close: what the switch joined for the set before still refers to its stores.
io::Task<void> StoresInForce::see_off(std::vector<std::shared_ptr<store::StateStore>> leaving) {
  ++leaving_;
  while (!switch_.settled()) co_await io::sleep_for(home(), kTick);
  for (auto& store : leaving) {
    for (const auto& loop : loops_) {
      auto job = [store, &loop = *loop] {
        store->detach(loop.loop());
        return true;
      };
      auto call = io::call_on(home(), loop->loop(), std::move(job));
      (void)co_await call;
    }
    const std::string kind(store->stats().kind);
    if (const auto outage = store->stats().outage; outage && outage->pending > 0)
      log::warn("changes that were kept during an outage are left in the journal of a store that is closed",
                {{"kind", kind}, {"pending", outage->pending}});
    auto close = [store = std::move(store)]() mutable {
      store.reset();
      return true;
    };
    auto closing = closer_.run(home(), std::move(close));
    (void)co_await closing;
    log::info("a store was closed", {{"kind", kind}});
  }
  --leaving_;
}

Result<void> StoresInForce::move_rest() {
  if (!moving_)
    return fail(Code::conflict, Side::client,
                "no [store.previous] is in force: name it in the configuration and reload");
  if (copying_ == "running") return {};
  copying_ = "running";
  rest_.spawn(run_move(moving_));
  return {};
}

io::Task<void> StoresInForce::run_move(std::shared_ptr<store::MovingStore> moving) {
  log::info("moving what the previous store has left");
  store::MovingStore::Progress progress;
  const auto moved = co_await moving->bring_rest(home(), progress, kPauseShare);
  copying_ = moved ? "done" : "failed";
  if (moved)
    log::info("all that the previous store had has moved", {{"moved", progress.moved}});
  else
    log::error("moving what the previous store has left has stopped",
               {{"error", moved.error().context}, {"moved", progress.moved}});
}

}  // namespace stateway
