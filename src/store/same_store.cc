#include "store/same_store.h"

#include <utility>

#include "base/big_endian.h"
#include "base/random.h"
#include "store/batch.h"
#include "store/moved_on.h"

namespace stateway::store {

io::Task<Result<bool>> are_one(io::Loop& loop, StateStore& a, StateStore& b, WallMillis expires_at) {
  SystemRandom random;
  std::string key;
  for (int i = 0; i < 3; ++i) append_big_endian(key, random.u64());
  Batch marking = one_write(key, 0, empty_mark(1, expires_at));
  marking.needs_store = true;
  const auto marked = co_await a.commit(loop, std::move(marking));
  if (!is_applied(marked)) co_return std::unexpected(marked.error());
  const auto there = co_await b.load(loop, key);
  Batch erasing = one_write(key, 1, std::nullopt);
  erasing.needs_store = true;
  (void)co_await a.commit(loop, std::move(erasing));
  if (!there) co_return std::unexpected(there.error());
  co_return there->has_value();
}

}  // namespace stateway::store
