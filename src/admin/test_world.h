// For the tests of this module: what a gateway shows its admin API, and calls to that API over a real
// connection.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "admin/api.h"
#include "admin/census.h"
#include "base/bytes.h"
#include "io/sockets.h"
#include "io/test_loop.h"
#include "session/record.h"
#include "store/memory.h"
#include "wire/client.h"

namespace stateway::admin::test {

/// A store in memory that can be told to be troublesome.
class MoodyStore final : public store::StateStore {
 public:
  explicit MoodyStore(const WallClock& clock) : inner_(clock, 100'000) {}

  int conflicts = 0;  // so many commits find that another was faster
  bool poisoned = false;
  std::optional<store::OutageStats> outage{};
  bool away = false;  // does not answer
  std::size_t list_limit_most = 0;
  std::optional<store::PreviousStats> previous;
  std::unique_ptr<store::Moment> next_moment;

  io::Task<Result<std::optional<store::Record>>> load(io::Loop& loop, std::string key) override {
    if (away) co_return fail(Code::store_unavailable, Side::store, "secret detail");
    co_return co_await inner_.load(loop, std::move(key));
  }
  io::Task<Result<store::Committed>> commit(io::Loop& loop, store::Batch batch) override {
    if (poisoned) co_return fail(Code::store_poisoned, Side::store);
    if (conflicts > 0) {
      --conflicts;
      co_return fail(Code::conflict, Side::store, {}, Retry::always);
    }
    co_return co_await inner_.commit(loop, std::move(batch));
  }
  void touch(io::Loop& loop, std::string_view key, WallMillis expires_at) override {
    inner_.touch(loop, key, expires_at);
  }
  io::Task<Result<std::vector<store::Entry>>> list(io::Loop& loop, store::Query query) override {
    if (away) co_return fail(Code::store_unavailable, Side::store, "secret detail");
    list_limit_most = std::max(list_limit_most, query.limit);
    co_return co_await inner_.list(loop, std::move(query));
  }
  io::Task<Result<std::size_t>> sweep(io::Loop& loop, std::size_t most) override {
    return inner_.sweep(loop, most);
  }
  void set_sessions_max(std::uint64_t most) override { inner_.set_sessions_max(most); }
  store::Stats stats() const override {
    store::Stats stats = inner_.stats();
    stats.poisoned = poisoned;
    stats.previous = previous;
    stats.outage = outage;
    return stats;
  }
  std::unique_ptr<store::Moment> moment() override { return std::move(next_moment); }

 private:
  store::MemoryStore inner_;
};

/// The n-th session's key, and its public id: in the same order.
inline std::string key_of(unsigned n) {
  std::string key(12, '\0');
  key[10] = static_cast<char>(n >> 8);
  key[11] = static_cast<char>(n & 0xff);
  return key;
}
inline std::string id_of(unsigned n) { return base64url_encode(as_bytes(key_of(n))); }

struct World {
  World() {
    upstream::ServiceOptions shop;
    shop.name = "shop";
    shop.instances = {parse_address("127.0.0.1:9001").value()};
    add(std::move(shop));
    upstream::ServiceOptions jobs;
    jobs.name = "jobs";
    jobs.command = {"jobs"};
    jobs.count = 2;
    add(std::move(jobs));
  }

  ManualClock clock;
  MoodyStore store{clock};
  gateway::Snapshot snapshot{.routes = route::Table({})};
  InForce in_force;
  SystemRandom random;
  session::KeyRing keys{clock, random};
  session::Sessions sessions{store, keys, clock, random};
  session::Holders holders{1 << 20};
  io::EpollLoop home;  // of the census
  Census census{home, clock, store, in_force};
  gateway::Counters counters;
  std::atomic<bool> draining{false};
  std::vector<std::string> restarted;
  int copies = 0;
  std::vector<std::string> applied;
  ReloadOutcome reload_outcome;
  std::optional<Secret> token;

  upstream::Instance& instance(std::size_t service, std::size_t n) {
    return *in_force.services[service]->roster()->instances[n];
  }
  void all_up() {
    for (const auto& service : in_force.services)
      for (const auto& i : service->roster()->instances) EXPECT_TRUE(i->mark_up(i->status()));
  }

  void keep(unsigned n, store::Record record) {
    store::Batch batch;
    const store::Revision expected = record.revision - 1;
    batch.writes.push_back({.key = key_of(n), .expected = expected, .record = std::move(record)});
    io::EpollLoop loop;
    io::run_until_done(loop, commit(loop, std::move(batch)));
  }
  /// A session at version 1, made now.
  void keep_session(unsigned n, std::string principal = "", std::string document = "{}") {
    keep(n, {.revision = 1,
             .expires_at = clock.now() + 60'000,
             .principal = std::move(principal),
             .value = session::encode_record({.kind = "cart",
                                              .created = clock.now(),
                                              .absolute_expires = clock.now() + 3'600'000,
                                              .secret_hash = std::string(32, 's'),
                                              .document = std::move(document)})});
  }
  std::optional<store::Record> stored(unsigned n) {
    std::optional<store::Record> out;
    io::EpollLoop loop;
    io::run_until_done(loop, load(loop, n, out));
    return out;
  }

  /// One call to an API of its own on a free port of 127.0.0.1. Unsafe methods come as JSON; `request.host`
  /// is filled in unless it is given.
  wire::ClientResponse call(wire::ClientRequest request) {
    wire::ClientResponse out;
    io::EpollLoop loop;
    io::run_until_done(loop, exchange(loop, std::move(request), out));
    return out;
  }
  wire::ClientResponse get(std::string_view target) { return call({.target = target, .host = ""}); }
  wire::ClientResponse send(std::string_view method, std::string_view target, std::string_view body = "") {
    return call({.method = method,
                 .target = target,
                 .host = "",
                 .fields = {{"Content-Type", "application/json"}},
                 .body = std::string(body)});
  }

  Sources sources(io::EpollLoop& loop) {
    in_force.snapshot = std::make_shared<const gateway::Snapshot>(snapshot);
    in_force.token = token;
    Sources sources{.loop = loop,
                    .clock = clock,
                    .store = store,
                    .in_force = in_force,
                    .keys = keys,
                    .sessions = sessions,
                    .holders = holders,
                    .census = census,
                    .counters = counters,
                    .draining = draining,
                    .restart = {},
                    .apply = [this](std::string_view service) { applied.emplace_back(service); },
                    .reload = {},
                    .move_rest = [this]() -> Result<void> {
                      ++copies;
                      if (!store.stats().previous) return fail(Code::conflict, Side::client, "none is named");
                      return {};
                    },
                    .copying = [this]() -> std::string_view { return copies > 0 ? "running" : "no"; },
                    .version = "1.2.3",
                    .pid = 42,
                    .started = loop.now() - 3500ms};
    sources.restart = [this](std::string_view service, std::string_view name) -> Result<void> {
      restarted.push_back(std::string(service) + "/" + std::string(name));
      return {};
    };
    sources.reload = [this] { return reload(); };
    return sources;
  }

 private:
  void add(upstream::ServiceOptions options) {
    in_force.services.push_back(std::make_shared<upstream::Service>(std::move(options), clock));
  }

  io::Task<void> commit(io::EpollLoop& loop, store::Batch batch) {
    const auto committed = co_await store.commit(loop, std::move(batch));
    EXPECT_TRUE(committed);
  }
  io::Task<void> load(io::EpollLoop& loop, unsigned n, std::optional<store::Record>& out) {
    out = (co_await store.load(loop, key_of(n))).value();
  }

  io::Task<Result<ReloadOutcome>> reload() {
    if (draining) co_return fail(Code::draining);
    ++in_force.generation;
    co_return reload_outcome;
  }

  io::Task<void> exchange(io::EpollLoop& loop, wire::ClientRequest request, wire::ClientResponse& out) {
    auto socket = io::ListenSocket::open({.host = "127.0.0.1"});
    CHECK(socket.has_value());
    Api api(socket->address(), sources(loop));
    wire::Server server(loop, api, {});
    io::SocketAcceptor acceptor(loop, *socket);
    io::TaskGroup accepting;
    accepting.spawn(server.accept_from(acceptor));

    io::Worker resolver("resolver");
    io::SocketNetwork network(loop, resolver);
    auto stream = co_await network.connect(socket->address(), loop.now() + 10s);
    CHECK(stream.has_value());
    wire::Client client(std::move(*stream), {});
    const std::string own = to_string(socket->address());
    if (request.host.empty()) request.host = own;
    auto response = co_await client.exchange(request, loop.now() + 10s);
    CHECK(response.has_value());
    out = std::move(*response);
  }
};

}  // namespace stateway::admin::test
