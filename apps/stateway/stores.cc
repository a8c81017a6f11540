#include "stateway/stores.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "io/epoll.h"
#include "io/sockets.h"
#include "io/task_group.h"
#include "io/worker.h"
#include "session/intent.h"
#include "store/embedded.h"
#include "store/memory.h"
#include "store/outage/outage_store.h"
#include "store/outage/owner.h"
#include "store/postgres/postgres.h"
#include "store/redis/redis_store.h"
#include "store/same_store.h"

namespace stateway {
namespace {

using store::StateStore, store::StoreOptions;

const session::IntentRemaker kRemaker;  // has no state

/// What the operator knows a store by, without what may be secret: kind and place, no user, no parameters.
std::string place_of(const StoreOptions& options) {
  const std::string_view url = options.url.reveal();
  const std::size_t scheme = url.find("://");
  std::string_view place = scheme == url.npos ? std::string_view() : url.substr(scheme + 3);
  place = place.substr(0, place.find('?'));
  if (const std::size_t at = place.rfind('@'); at != place.npos) place.remove_prefix(at + 1);
  return std::string(options.kind == store::Kind::redis ? "redis " : "postgres ").append(place);
}

Result<std::unique_ptr<StateStore>> with_journal(std::unique_ptr<StateStore> store,
                                                 const StoreOptions& options, const WallClock& clock) {
  using store::outage::OutageStore;
  const OutageStore::Options outage{
      .local = {.journal = {.folder = options.journal_path, .bytes_max = options.journal_bytes_max},
                .overlay_bytes_max = options.outage_bytes_max,
                .on_conflict = options.on_conflict,
                .store = place_of(options)}};
  SystemRandom random;
  auto opened = OutageStore::open(std::move(store), clock, random, kRemaker, outage);
  if (!opened) return fail(Code::invalid_argument, Side::self, opened.error().context);
  return std::unique_ptr<StateStore>(std::move(*opened));
}

/// Without a journal what waits in one would be forgotten.
Result<void> nothing_waits(const StoreOptions& options) {
  const std::size_t pending = store::outage::pending_in(options.journal_path);
  if (pending == 0) return {};
  return fail(
      Code::invalid_argument, Side::self,
      fmt::format("{} has {} changes that the store did not get: start with on_outage = \"journal\" until "
                  "/v1/status says pending 0, or remove that folder to forget them",
                  options.journal_path, pending));
}

/// Of another machine. One that is away now may be used where commits can wait for it.
template <class Store>
Result<std::unique_ptr<StateStore>> open_remote(const StoreOptions& options, const WallClock& clock) {
  if (options.on_outage == store::OnOutage::fail)
    if (auto nothing = nothing_waits(options); !nothing) return pass_on(std::move(nothing));
  auto made = Store::make(options, clock);
  if (!made) return pass_on(std::move(made));
  const auto checked = (*made)->check();
  const bool may_come = !checked && checked.error().code == Code::store_unavailable &&
                        options.on_outage == store::OnOutage::journal;
  if (may_come) {
    log::warn("the session store is away", {{"reason", checked.error().context}});
  } else if (!checked) {
    return fail(Code::invalid_argument, Side::store,
                "cannot use the session store: " + checked.error().context);
  }
  if (options.on_outage != store::OnOutage::journal) return std::unique_ptr<StateStore>(std::move(*made));
  return with_journal(std::move(*made), options, clock);
}

constexpr WallMillis kTrialMs = 60'000;  // what a crash leaves of it is gone by then

io::Task<void> try_them(io::Loop& loop, StateStore& next, StateStore& previous, WallMillis expires_at,
                        Result<bool>& are_one) {
  are_one = co_await store::are_one(loop, previous, next, expires_at);
  loop.stop();
}

/// By connections of its own, without a journal: those in use belong to other loops. Errors: they cannot be
/// reached, or used.
template <class Store>
Result<bool> are_one(const StoreOptions& next, const StoreOptions& previous, const WallClock& clock) {
  auto made = Store::make(next, clock);
  if (!made) return pass_on(std::move(made));
  auto other = Store::make(previous, clock);
  if (!other) return pass_on(std::move(other));
  io::EpollLoop loop;
  io::Worker names("store-names");
  io::SocketNetwork network(loop, names);
  Result<bool> out = false;
  for (const auto& store : {&*made, &*other}) (*store)->attach(loop, network);
  {
    io::TaskGroup group;
    group.spawn(try_them(loop, **made, **other, clock.now() + kTrialMs, out));
    loop.run();
  }
  for (const auto& store : {&*made, &*other}) (*store)->detach(loop);
  return out;
}

Result<bool> are_one(const StoreOptions& next, const StoreOptions& previous, const WallClock& clock) {
  if (next.kind != previous.kind) return false;
  switch (next.kind) {
    case store::Kind::memory:
      return true;
    case store::Kind::embedded: {
      std::error_code neither;  // is there; a directory that is not there is nobody else's
      return std::filesystem::equivalent(next.path, previous.path, neither);
    }
    case store::Kind::redis:
      return are_one<store::redis::RedisStore>(next, previous, clock);
    case store::Kind::postgres:
      return are_one<store::postgres::PostgresStore>(next, previous, clock);
  }
  return fail(Code::internal);
}

}  // namespace

Result<bool> known_as_two(const StoreOptions& next, const StoreOptions& previous, const WallClock& clock) {
  const auto one = are_one(next, previous, clock);
  if (!one) return false;
  if (!*one) return true;
  return fail(Code::invalid_argument, Side::store,
              "both names are of one store, " + name_of(next) +
                  ": nothing can move. If only its name has changed (another password, another spelling of "
                  "the host or the path), leave the previous one out and restart");
}

Result<std::unique_ptr<StateStore>> open_store(const StoreOptions& options, const WallClock& clock) {
  switch (options.kind) {
    case store::Kind::memory:
      return std::make_unique<store::MemoryStore>(clock, options.sessions_max);
    case store::Kind::embedded: {
      auto embedded = store::EmbeddedStore::open(options, clock);
      if (!embedded) return pass_on(std::move(embedded));
      return std::unique_ptr<StateStore>(std::move(*embedded));
    }
    case store::Kind::redis:
      return open_remote<store::redis::RedisStore>(options, clock);
    case store::Kind::postgres:
      return open_remote<store::postgres::PostgresStore>(options, clock);
  }
  return fail(Code::internal);
}

std::string name_of(const store::StoreOptions& options) {
  switch (options.kind) {
    case store::Kind::embedded:
      return "embedded at " + options.path;
    case store::Kind::memory:
      return "memory";
    case store::Kind::redis:
      return "redis";
    case store::Kind::postgres:
      return "postgres";
  }
  CHECK(false);
}

}  // namespace stateway
