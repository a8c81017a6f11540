// From a configuration to a store that is known to work, and how durable its commits are.
#include <utility>

#include "base/log.h"
#include "io/epoll.h"
#include "io/sockets.h"
#include "io/task_group.h"
#include "io/worker.h"
#include "store/redis/cluster_topology.h"
#include "store/redis/keys.h"
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

std::string_view name_of(Durability durability) {
  switch (durability) {
    case Durability::sync:
      return "sync";
    case Durability::os:
      return "os";
    case Durability::memory:
      return "memory";
  }
  return "memory";
}

/// What all of the servers do.
struct Syncs {
  bool waits = false;   // WAITAOF
  bool always = false;  // appendfsync always
  std::string_view why{};
};

io::Task<Result<Syncs>> ask_syncs(Router& router, std::vector<std::string> keys, TimePoint deadline) {
  Syncs all{.waits = !keys.empty(), .always = !keys.empty()};
  for (const std::string& key : keys) {
    Request probe{.key = key, .command = format_command({"WAITAOF", "0", "0", "1"}), .waits = true};
    auto probed = co_await router.ask(std::move(probe), deadline);
    if (!probed) co_return pass_on(std::move(probed));
    Request question{.key = key, .command = format_command({"CONFIG", "GET", "appendfsync"})};
    auto policy = co_await router.ask(std::move(question), deadline);
    if (!policy) co_return pass_on(std::move(policy));
    all.waits = all.waits && !probed->reply.is_error();
    all.always =
        all.always && policy->reply.elements.size() == 2 && policy->reply.elements[1].text == "always";
    if (all.waits || all.always) continue;
    all.why = policy->reply.is_error() ? "it does not tell appendfsync, and has no WAITAOF (Redis 7.2)"
                                       : "appendfsync is not always, and it has no WAITAOF (Redis 7.2)";
    break;
  }
  co_return all;
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

/// Finds out what the server gives, unless that is known, with commands that a user may be forbidden: then
/// nothing is promised. Another server than before may give something else.
io::Task<Result<void>> RedisStore::find_durability(Part& part) {
  const TimePoint deadline = part.deadline(timeout_);
  if (auto ready = co_await part.router->ready(deadline); !ready) co_return ready;
  const std::uint64_t epoch = topology_->epoch();
  if (known_ && known_epoch_ == epoch) co_return Result<void>();
  Durability given = topology_->append_only() ? Durability::os : Durability::memory;
  Syncs syncs{.why = "appendonly is off"};
  if (asked_ == Durability::sync && topology_->append_only()) {
    auto asked = co_await ask_syncs(*part.router, topology_->probes(), deadline);
    if (!asked) co_return pass_on(std::move(asked));
    syncs = *asked;
    if (syncs.waits || syncs.always) given = Durability::sync;
  }
  on_disk_ = syncs.waits && !syncs.always;
  if (given > asked_) {
    log::warn("store: commits survive less than [store] durability asks for",
              {{"durability", name_of(asked_)}, {"effective", name_of(given)}, {"why", syncs.why}});
  }
  effective_ = std::max(given, asked_);
  known_epoch_ = epoch;
  known_ = true;
  co_return Result<void>();
}

std::string_view RedisStore::durability() const { return known_ ? name_of(effective_) : std::string_view(); }

}  // namespace stateway::store::redis
