#include "stateway/stores.h"

#include "stateway/open_redis.h"
#include "store/embedded.h"
#include "store/memory.h"

namespace stateway {

Result<std::unique_ptr<store::StateStore>> open_store(const store::StoreOptions& options,
                                                      const WallClock& clock) {
  switch (options.kind) {
    case store::Kind::memory:
      return std::make_unique<store::MemoryStore>(clock, options.sessions_max);
    case store::Kind::embedded: {
      auto embedded = store::EmbeddedStore::open(options, clock);
      if (!embedded) return pass_on(std::move(embedded));
      return std::unique_ptr<store::StateStore>(std::move(*embedded));
    }
    case store::Kind::redis:
      return open_redis(options, clock);
    case store::Kind::postgres:
      break;
  }
  return fail(Code::invalid_argument, Side::self, "this kind of store is not in this release");
}

}  // namespace stateway
