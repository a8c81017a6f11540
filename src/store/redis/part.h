// What a RedisStore has on each loop.
#pragma once

#include <memory>
#include <utility>

#include "io/task_group.h"
#include "store/redis/confirmations.h"
#include "store/redis/redis_store.h"
#include "store/redis/scripts.h"

namespace stateway::store::redis {

/// Records are kept this long after their expiry, for a sweep to come, which takes their index entries too;
/// then Redis throws them away by itself.
inline constexpr std::int64_t kSpareMillis = 24 * 3600 * 1000;

struct RedisStore::Part {
  Part(io::Loop& l, std::unique_ptr<Router> r)
      : loop(l), router(std::move(r)), confirmations(loop, *router) {}
  TimePoint deadline(Duration timeout) const { return loop.now() + timeout; }
  /// Lets it run; whether it succeeds does not matter.
  void spawn(io::Task<Result<Answer>> task) { background.spawn(forget(std::move(task))); }
  static io::Task<void> forget(io::Task<Result<Answer>> task) { (void)co_await task; }

  io::Loop& loop;
  std::unique_ptr<Router> router;
  Confirmations confirmations;
  io::TaskGroup background;  // goes before the router
};

}  // namespace stateway::store::redis
