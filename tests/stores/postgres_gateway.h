// For tests of the PostgreSQL store: databases with its schema, and a gateway's view of one of them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "postgres_server.h"
#include "store/batch.h"
#include "store/loop_thread.h"
#include "store/postgres/postgres.h"
#include "store/postgres/schema.h"

namespace stateway::stores {

inline store::StoreOptions postgres_options(std::string url) {
  return {.kind = store::Kind::postgres, .url = Secret(std::move(url)), .timeout = 60s};
}

/// A database of `server` with the present schema.
inline std::string migrated_database(PostgresServer& server) {
  std::string name = server.new_database();
  const auto done = store::postgres::migrate(postgres_options(server.url(name)));
  if (!done) throw std::runtime_error(done.error().context);
  return name;
}

/// The same of the shared server, faster: each is a copy of the first.
inline std::string shared_database() {
  static const std::string first = migrated_database(shared_postgres());
  return shared_postgres().new_database(first);
}

/// A store and one loop of the gateway that uses it, with calls that wait.
class PostgresGateway {
 public:
  explicit PostgresGateway(const store::StoreOptions& options) {
    auto made = store::postgres::PostgresStore::make(options, clock_);
    if (!made) throw std::runtime_error(made.error().context);
    store_ = std::move(*made);
    store_->attach(loop_.loop(), loop_.network());
  }
  explicit PostgresGateway(const std::string& url) : PostgresGateway(postgres_options(url)) {}
  ~PostgresGateway() {
    loop_.run([this](io::Loop& loop) { return detach(loop, *store_); });
  }
  PostgresGateway(const PostgresGateway&) = delete;
  PostgresGateway& operator=(const PostgresGateway&) = delete;

  store::postgres::PostgresStore& store() { return *store_; }
  store::LoopThread& loop() { return loop_; }
  WallMillis in(std::int64_t ms) const { return clock_.now() + ms; }

  auto load(const std::string& key) {
    return loop_.run([this, key](io::Loop& loop) { return store_->load(loop, key); });
  }
  auto commit(const store::Batch& batch) {
    return loop_.run([this, batch](io::Loop& loop) { return store_->commit(loop, batch); });
  }
  auto sweep(std::size_t most) {
    return loop_.run([this, most](io::Loop& loop) { return store_->sweep(loop, most); });
  }
  /// The next revision of a live record, without an id.
  auto put(const std::string& key, store::Revision revision, std::string value = "{}",
           std::int64_t lives_ms = 1'000'000) {
    store::Record record{.revision = revision, .expires_at = in(lives_ms), .value = std::move(value)};
    return commit(store::one_write(key, revision - 1, std::move(record)));
  }

 private:
  static io::Task<bool> detach(io::Loop& loop, store::postgres::PostgresStore& store) {
    store.detach(loop);
    co_return true;
  }

  ManualClock clock_;
  store::LoopThread loop_;
  std::unique_ptr<store::postgres::PostgresStore> store_;
};

/// Commits `times` next revisions of `key`, each with an id of `gateway`, as a gateway does: a conflict says
/// that somebody else is at this key, and fails the test. Returns how many were acknowledged.
inline io::Task<int> commit_in_a_row(io::Loop& loop, store::StateStore& store, std::string key,
                                     std::uint64_t gateway, int times, WallMillis expires_at) {
  int acknowledged = 0;
  for (int i = 1; i <= times; ++i) {
    const auto revision = static_cast<store::Revision>(i);
    store::Record record{.revision = revision, .expires_at = expires_at, .value = std::to_string(i)};
    store::Batch batch = store::one_write(key, revision - 1, std::move(record));
    batch.id = {.gateway = gateway, .sequence = revision};
    const auto committed = co_await store.commit(loop, std::move(batch));
    if (!committed) {
      ADD_FAILURE() << code_name(committed.error().code) << " " << committed.error().context;
      break;
    }
    ++acknowledged;
  }
  co_return acknowledged;
}

}  // namespace stateway::stores
