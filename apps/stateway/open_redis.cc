#include "stateway/open_redis.h"

#include <utility>

#include "base/log.h"
#include "io/sockets.h"
#include "io/task_group.h"
#include "store/redis/cluster_topology.h"
#include "store/redis/redis_store.h"
#include "store/redis/single.h"
#include "store/redis/url.h"

namespace stateway {

namespace redis = store::redis;

namespace {

io::Task<void> run_open(io::Loop& loop, redis::RedisStore& store, Result<void>& opened) {
  opened = co_await store.open(loop);
  loop.stop();
}

// Whether it can be used, asked from a loop that lives only for that.
Result<void> try_open(redis::RedisStore& store) {
  io::EpollLoop loop;
  io::Worker names("names");
  io::SocketNetwork network(loop, names);
  Result<void> opened;
  store.attach(loop, network);
  {
    io::TaskGroup tasks;
    tasks.spawn(run_open(loop, store, opened));
    loop.run();
  }
  store.detach(loop);
  return opened;
}

Result<std::unique_ptr<redis::Topology>> make_topology(const redis::Url& url, redis::Access access) {
  switch (url.kind) {
    case redis::Url::Kind::single:
      return std::make_unique<redis::SingleTopology>(url.servers.front(), std::move(access));
    case redis::Url::Kind::cluster:
      return std::make_unique<redis::ClusterTopology>(url.servers, std::move(access));
    case redis::Url::Kind::sentinel:
      break;
  }
  return fail(Code::invalid_argument, Side::store, "redis+sentinel:// is not in this release");
}

}  // namespace

Result<std::unique_ptr<store::StateStore>> open_redis(const store::StoreOptions& options,
                                                      const WallClock& clock) {
  const auto url = redis::parse_url(options.url.reveal());
  if (!url) return std::unexpected(url.error());
  auto topology = make_topology(*url, {.user = url->user,
                                       .password = url->password,
                                       .database = url->database,
                                       .timeout = options.timeout,
                                       .connections = options.connections});
  if (!topology) return pass_on(std::move(topology));
  auto made =
      std::make_unique<redis::RedisStore>(std::move(*topology), clock, options.timeout, options.sessions_max);
  const auto opened = try_open(*made);
  const bool may_come = !opened && opened.error().code == Code::store_unavailable &&
                        options.on_outage == store::OnOutage::journal;
  if (may_come)
    log::warn("the session store is away", {{"reason", opened.error().context}});
  else if (!opened)
    return fail(Code::invalid_argument, Side::store,
                "cannot use the session store: " + opened.error().context);
  return std::unique_ptr<store::StateStore>(std::move(made));
}

}  // namespace stateway
