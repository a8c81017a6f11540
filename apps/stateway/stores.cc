#include "stateway/stores.h"

#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "session/intent.h"
#include "store/embedded.h"
#include "store/memory.h"
#include "store/outage/outage_store.h"
#include "store/postgres/postgres.h"
#include "store/redis/redis_store.h"

namespace stateway {
namespace {

using store::StateStore, store::StoreOptions;

const session::IntentRemaker kRemaker;  // has no state

Result<std::unique_ptr<StateStore>> with_journal(std::unique_ptr<StateStore> store,
                                                 const StoreOptions& options, const WallClock& clock) {
  using store::outage::OutageStore;
  const OutageStore::Options outage{
      .local = {.journal = {.folder = options.journal_path, .bytes_max = options.journal_bytes_max},
                .overlay_bytes_max = options.outage_bytes_max,
                .on_conflict = options.on_conflict}};
  SystemRandom random;
  auto opened = OutageStore::open(std::move(store), clock, random, kRemaker, outage);
  if (!opened) return fail(Code::invalid_argument, Side::self, opened.error().context);
  return std::unique_ptr<StateStore>(std::move(*opened));
}

/// Of another machine. One that is away now may be used where commits can wait for it.
template <class Store>
Result<std::unique_ptr<StateStore>> open_remote(const StoreOptions& options, const WallClock& clock) {
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

}  // namespace

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
