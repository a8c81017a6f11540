// From a configuration to a store that is known to work.
#include <utility>

#include "io/epoll.h"
#include "io/sockets.h"
#include "io/task_group.h"
#include "io/worker.h"
#include "store/redis/cluster_topology.h"
#include "store/redis/part.h"
#include "store/redis/sentinel.h"
#include "store/redis/url.h"

namespace stateway::store::redis {
namespace {

std::unique_ptr<Topology> make_topology(Url url, Access access) {
  switch (url.kind) {
    case Url::Kind::single:
      return std::make_unique<SingleTopology>(std::move(url.servers.front()), std::move(access));
    case Url::Kind::cluster:
      return std::make_unique<ClusterTopology>(std::move(url.servers), std::move(access));
    case Url::Kind::sentinel:
      return std::make_unique<SentinelTopology>(std::move(url.servers), std::move(url.master),
                                                std::move(access));
  }
  return nullptr;
}

io::Task<void> finish(io::Loop& loop, io::Task<Result<void>> task, Result<void>& result) {
  result = co_await task;
  loop.stop();
}

}  // namespace

Result<std::unique_ptr<RedisStore>> RedisStore::make(const StoreOptions& options, const WallClock& clock) {
  auto url = parse_url(options.url.reveal());
  if (!url) return fail(Code::invalid_argument, Side::self, "[store] url: " + url.error().context);
  Access access{.user = url->user,
                .password = url->password,
                .database = url->database,
                .timeout = options.timeout,
                .connections = options.connections};
  if (url->tls) {
    auto tls = io::TlsClient::open(options.ca_file);
    if (!tls) return pass_on(std::move(tls));
    access.tls = std::move(*tls);
  }
  auto store = std::make_unique<RedisStore>(make_topology(std::move(*url), std::move(access)), clock,
                                            options.timeout, options.sessions_max);
  store->asked_ = options.durability;
  store->replicas_ = options.replicas;
  store->clock_margin_ = options.clock_margin;
  return store;
}

Result<void> RedisStore::check() {
  io::EpollLoop loop;
  io::Worker names("store-names");
  io::SocketNetwork network(loop, names);
  attach(loop, network);
  Result<void> result;
  {
    io::TaskGroup group;
    group.spawn(finish(loop, open(loop), result));
    loop.run();
  }
  detach(loop);
  return result;
}

}  // namespace stateway::store::redis
