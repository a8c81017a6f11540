#include "store/postgres/postgres.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "postgres_gateway.h"
#include "store/contract_test.h"
#include "store/lease_contract_test.h"
#include "store/repeat_contract_test.h"
#include "store/room_contract_test.h"

namespace stateway::store::postgres {
namespace {

using stores::postgres_options;
using stores::PostgresGateway;
using stores::shared_database;
using stores::shared_postgres;
using testing::HasSubstr;
using testing::Not;

struct OverPostgres {
  std::unique_ptr<StateStore> make(const WallClock& clock, std::uint64_t records_max) {
    StoreOptions options = postgres_options(shared_postgres().url(shared_database()));
    options.sessions_max = records_max;
    auto store = PostgresStore::make(options, clock);
    CHECK(store.has_value());
    const auto checked = (*store)->check();
    EXPECT_TRUE(checked) << checked.error().context;
    return std::move(*store);
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, StoreContract, OverPostgres);
INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, StoreRoom, OverPostgres);
INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, StoreRepeats, OverPostgres);
INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, StoreLeases, OverPostgres);

class PostgresStoreTest : public testing::Test {
 protected:
  std::string database_ = shared_database();
  std::string url_ = shared_postgres().url(database_);
};

Batch pair(const std::string& first, const std::string& second, Revision revision, WallMillis expires_at) {
  Batch batch;
  for (const std::string& key : {first, second})
    batch.writes.push_back(
        {.key = key, .expected = revision - 1, .record = live(revision, expires_at, "both")});
  return batch;
}

/// How many of `times` commits of both keys, each at the revision both have, went through.
io::Task<int> commit_pairs(io::Loop& loop, StateStore& store, std::string first, std::string second,
                           int times, WallMillis expires_at) {
  int won = 0;
  for (int i = 0; i < times; ++i) {
    const auto loaded = co_await store.load(loop, first);
    CHECK(loaded.has_value());
    const Revision next = *loaded ? (*loaded)->revision + 1 : 1;
    const auto committed = co_await store.commit(loop, pair(first, second, next, expires_at));
    if (committed)
      ++won;
    else
      EXPECT_EQ(code_name(committed.error().code), "conflict") << committed.error().context;
  }
  co_return won;
}

TEST_F(PostgresStoreTest, BatchesInAnyOrderNeverWaitForEachOther) {
  PostgresGateway one(url_), other(url_);
  const WallMillis end = one.in(1'000'000);
  std::vector<std::future<int>> running;
  for (int i = 0; i < 4; ++i) {
    running.push_back(one.loop().start([&, end](io::Loop& loop) {
      return commit_pairs(loop, one.store(), "the same tag a", "the same tag b", 25, end);
    }));
    running.push_back(other.loop().start([&, end](io::Loop& loop) {
      return commit_pairs(loop, other.store(), "the same tag b", "the same tag a", 25, end);
    }));
  }
  int won = 0;
  for (auto& task : running) won += LoopThread::get(std::move(task));
  EXPECT_GT(won, 0);
  for (const char* key : {"the same tag a", "the same tag b"})
    EXPECT_EQ((*one.load(key).value()).revision, static_cast<Revision>(won)) << key;
  EXPECT_THAT(shared_postgres().log(), Not(HasSubstr("deadlock detected")));
}

io::Task<int> create(io::Loop& loop, StateStore& store, std::string key, WallMillis expires_at) {
  const auto committed = co_await store.commit(loop, one_write(key, 0, live(1, expires_at)));
  EXPECT_TRUE(committed || committed.error().code == Code::conflict) << committed.error().context;
  co_return committed ? 1 : 0;
}

TEST_F(PostgresStoreTest, OneOfManyCreatesARecord) {
  PostgresGateway one(url_), other(url_);
  const WallMillis end = one.in(1'000'000);
  for (int round = 0; round < 20; ++round) {
    const std::string key = "k" + std::to_string(round);
    std::vector<std::future<int>> running;
    for (int i = 0; i < 3; ++i)
      for (PostgresGateway* on : {&one, &other})
        running.push_back(
            on->loop().start([on, key, end](io::Loop& loop) { return create(loop, on->store(), key, end); }));
    int won = 0;
    for (auto& task : running) won += LoopThread::get(std::move(task));
    EXPECT_EQ(won, 1);
  }
  ASSERT_TRUE(one.sweep(10));
  EXPECT_EQ(one.store().stats().records, 20u);
}

TEST_F(PostgresStoreTest, SweepsOfTwoGatewaysRemoveEachRecordOnce) {
  PostgresGateway one(url_), other(url_);
  for (int i = 0; i < 40; ++i)
    ASSERT_TRUE((i % 2 == 0 ? one : other).put("k" + std::to_string(i), 1, "{}", i < 30 ? 0 : 1000));
  ASSERT_TRUE(one.put("k0", 1, "{}", 1000)) << "over one that has expired";
  auto first = one.loop().start([&](io::Loop& loop) { return one.store().sweep(loop, 100); });
  auto second = other.loop().start([&](io::Loop& loop) { return other.store().sweep(loop, 100); });
  EXPECT_EQ(LoopThread::get(std::move(first)).value() + LoopThread::get(std::move(second)).value(), 29u);
  for (PostgresGateway* gateway : {&one, &other}) {
    EXPECT_EQ(gateway->sweep(100).value(), 0u);
    EXPECT_EQ(gateway->store().stats().records, 11u);
  }
}

TEST_F(PostgresStoreTest, CountsAreMergedWhenManyConnectionsHaveSome) {
  for (int i = 0; i < 70; ++i) {
    const std::string id = std::to_string(1'000'000 + i);  // of no process
    shared_postgres().sql(database_, "insert into stateway.counts values (" + id + ", 2, 1)");
  }
  PostgresGateway gateway(url_);
  ASSERT_TRUE(gateway.put("a", 1));
  ASSERT_TRUE(gateway.sweep(10));
  EXPECT_EQ(gateway.store().stats().records, 141u);
  EXPECT_EQ(gateway.store().stats().ended, 70u);
  EXPECT_EQ(shared_postgres().sql(database_, "select count(*) <= 2 from stateway.counts"), "t");
  shared_postgres().sql(database_, "select stateway.recount()");
  ASSERT_TRUE(gateway.sweep(10));
  EXPECT_EQ(gateway.store().stats().records, 1u);
  EXPECT_EQ(gateway.store().stats().ended, 0u);
}

TEST_F(PostgresStoreTest, CommitsOfConnectionsThatAreCutAreThereOnce) {
  constexpr int kKeys = 8, kTimes = 1000;
  StoreOptions options = postgres_options(url_);
  options.connections = 3;
  PostgresGateway gateway(options);
  std::vector<std::future<int>> running;
  for (int i = 0; i < kKeys; ++i)
    running.push_back(gateway.loop().start([&, i](io::Loop& loop) {
      return stores::commit_in_a_row(loop, gateway.store(), "k" + std::to_string(i), 7, kTimes,
                                     gateway.in(1'000'000));
    }));
  const std::string cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '" +
                          database_ + "' and pid <> pg_backend_pid()";
  int cuts = 0;
  const auto cut_all = [&] { cuts += shared_postgres().sql("postgres", cut) == "0" ? 0 : 1; };
  while (cuts == 0 && running.front().wait_for(std::chrono::seconds(0)) != std::future_status::ready)
    cut_all();
  for (auto& task : running)
    while (task.wait_for(std::chrono::milliseconds(150)) != std::future_status::ready) cut_all();
  EXPECT_GT(cuts, 0);
  for (auto& task : running) EXPECT_EQ(LoopThread::get(std::move(task)), kTimes);
  for (int i = 0; i < kKeys; ++i) {
    const auto record = gateway.load("k" + std::to_string(i)).value();
    ASSERT_TRUE(record);
    EXPECT_EQ(record->value, std::to_string(kTimes));
  }
}

io::Task<int> create_unless_refused(io::Loop& loop, StateStore& store, int n, WallMillis expires_at) {
  const Record record = live(1, expires_at, n % 5 == 0 ? "no" : "yes");
  const auto committed = co_await store.commit(loop, one_write("k" + std::to_string(n), 0, record));
  if (!committed) EXPECT_EQ(code_name(committed.error().code), "store-unavailable");
  co_return committed ? 1 : 0;
}

TEST_F(PostgresStoreTest, OneStatementThatFailsTakesNoOtherAlong) {
  shared_postgres().sql(database_, "alter table stateway.sessions add check (value <> 'no')");
  PostgresGateway gateway(url_);
  std::vector<std::future<int>> running;
  for (int i = 0; i < 20; ++i)
    running.push_back(gateway.loop().start([&gateway, i](io::Loop& loop) {
      return create_unless_refused(loop, gateway.store(), i, gateway.in(1'000'000));
    }));
  int won = 0;
  for (auto& task : running) won += LoopThread::get(std::move(task));
  EXPECT_EQ(won, 16);
}

TEST_F(PostgresStoreTest, AnEndedRecordIsNotLiveAgainAndCountsAsBefore) {
  PostgresGateway gateway(url_);
  ASSERT_TRUE(gateway.commit(one_write("a", 0, in_state(State::ended, 1, gateway.in(1000)))));
  EXPECT_FALSE(gateway.put("a", 2));
  EXPECT_EQ(gateway.store().stats().ended, 1u);
  EXPECT_EQ(gateway.store().stats().records, 1u);
}

TEST_F(PostgresStoreTest, SaysHowWellItKeepsCommits) {
  const std::pair<Durability, std::string_view> kTable[] = {
      {Durability::sync, "os"},  // the shared server has fsync = off
      {Durability::os, "os"},
      {Durability::memory, "memory"},
  };
  for (const auto& [durability, kept] : kTable) {
    StoreOptions options = postgres_options(url_);
    options.durability = durability;
    PostgresGateway gateway(options);
    ASSERT_TRUE(gateway.store().check());
    EXPECT_EQ(gateway.store().stats().durability, kept);
    ASSERT_TRUE(gateway.put("a", static_cast<Revision>(durability) + 1));
  }
}

TEST_F(PostgresStoreTest, TheEpochIsTheServers) {
  PostgresGateway one(url_), other(url_);
  ASSERT_TRUE(one.store().check());
  ASSERT_TRUE(other.store().check());
  EXPECT_NE(one.store().epoch(), 0u);
  EXPECT_EQ(one.store().epoch(), other.store().epoch());
}

class PostgresRefusal : public PostgresStoreTest {
 protected:
  /// What an operator is told; the code's name comes first.
  std::string told(const std::string& url) {
    StoreOptions options = postgres_options(url);
    options.timeout = 5s;
    auto store = PostgresStore::make(options, clock_).value();
    const auto checked = store->check();
    if (checked) return "nothing";
    EXPECT_THAT(checked.error().context, Not(HasSubstr("s3cret")));
    return std::string(code_name(checked.error().code)) + ": " + checked.error().context;
  }
  std::string at(const std::string& database) const {
    return "127.0.0.1:" + std::to_string(shared_postgres().port()) + "/" + database;
  }
  ManualClock clock_;
};

TEST_F(PostgresRefusal, OfWhoMayNotComeIn) {
  EXPECT_EQ(told(shared_postgres().url_of("ann:s3cret", database_)),
            "invalid-argument: " + at(database_) + ": password authentication failed for user \"ann\"");
  EXPECT_EQ(told(shared_postgres().url_of("ann", database_)),
            "invalid-argument: " + at(database_) + ": fe_sendauth: no password supplied");
  EXPECT_EQ(told(shared_postgres().url("nowhere")),
            "invalid-argument: " + at("nowhere") + ": database \"nowhere\" does not exist");
  shared_postgres().sql("postgres", "create role bob login password 's3cret'");
  EXPECT_EQ(told(shared_postgres().url_of("bob:s3cret", database_)),
            "invalid-argument: " + at(database_) +
                ": permission denied for schema stateway: docs/guides/postgres.md says which rights the user "
                "needs");
  EXPECT_THAT(told(shared_postgres().url(database_) + "?sslmode=require"),
              HasSubstr("server does not support SSL, but SSL was required"));
}

TEST_F(PostgresRefusal, OfSchemas) {
  EXPECT_EQ(told(shared_postgres().url("postgres")),
            "invalid-argument: " + at("postgres") +
                ": there is no schema of Stateway's: run stateway store migrate once");
  shared_postgres().sql(database_, "update stateway.meta set version = 0");
  EXPECT_EQ(told(url_),
            "invalid-argument: " + at(database_) +
                ": its schema is of version 0 and this Stateway needs 1: run stateway store migrate");
  shared_postgres().sql(database_, "update stateway.meta set version = 9");
  EXPECT_EQ(told(url_), "invalid-argument: " + at(database_) +
                            ": its schema is of version 9, made by a later Stateway; this one needs 1");
}

TEST_F(PostgresRefusal, OfServersThatAreNotThereOrTakeNoWrites) {
  const stores::ReservedPort nobody;
  const std::string port = std::to_string(nobody.number());
  EXPECT_EQ(told("postgres://ann:s3cret@127.0.0.1:" + port + "/x"),
            "store-unavailable: 127.0.0.1:" + port + "/x: Connection refused");
  EXPECT_THAT(told("postgres://ann:s3cret@/x?host=/nowhere&port=7"),
              HasSubstr("store-unavailable: /nowhere/.s.PGSQL.7/x: No such file or directory"));
  EXPECT_THAT(told("postgres://ann:s3cret@nowhere.invalid/x"),
              HasSubstr("store-unavailable: nowhere.invalid:5432"));
  shared_postgres().sql(database_, "alter database " + database_ + " set default_transaction_read_only = on");
  EXPECT_EQ(told(url_), "store-unavailable: " + at(database_) + ": session is read-only");
  const std::string second = shared_database();
  EXPECT_EQ(told("postgres://ann:s3cret%2Fof%3Aann@127.0.0.1:" + port +
                 ",127.0.0.1:" + std::to_string(shared_postgres().port()) + "/" + second),
            "nothing")
      << "the second of two is there";
}

TEST_F(PostgresStoreTest, ItsRightsAreThoseOfTheGuide) {
  shared_postgres().sql(database_,
                        "drop role if exists carl; create role carl login password 'x';"
                        "grant usage on schema stateway to carl;"
                        "grant select, insert, update, delete on all tables in schema stateway to carl;"
                        "grant usage on all sequences in schema stateway to carl;"
                        "grant execute on all functions in schema stateway to carl");
  PostgresGateway gateway(shared_postgres().url_of("carl:x", database_));
  EXPECT_TRUE(gateway.store().check());
  EXPECT_TRUE(gateway.put("a", 1));
  EXPECT_TRUE(gateway.put("a", 2));
  EXPECT_TRUE(gateway.load("a").value());
  EXPECT_TRUE(gateway.sweep(10));
  Leases& leases = *gateway.store().leases();
  EXPECT_NE(gateway.loop().run([&](io::Loop& loop) { return leases.take(loop, "a", 1s); }).value(), 0u);
  shared_postgres().sql(database_, "drop owned by carl; drop role carl");
}

class PostgresMigration : public testing::Test {
 protected:
  Result<Migrated> bring(std::span<const char* const> steps = migrations()) {
    return migrate(postgres_options(shared_postgres().url(database_)), steps);
  }
  std::string sql(const std::string& text) { return shared_postgres().sql(database_, text); }
  std::string database_ = shared_postgres().new_database();
};

TEST_F(PostgresMigration, IsDoneOnceHoweverManyAskForIt) {
  std::vector<std::thread> threads;
  std::atomic<int> from_nothing = 0;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      const auto done = bring();
      ASSERT_TRUE(done) << done.error().context;
      EXPECT_EQ(done->to, schema_version());
      from_nothing += done->from == 0 ? 1 : 0;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(from_nothing, 1);
  EXPECT_EQ(bring().value().from, schema_version());
}

TEST_F(PostgresMigration, GoesOnFromEachVersionAndKeepsWhatIsThere) {
  std::vector<const char*> steps(migrations().begin(), migrations().end());
  ASSERT_TRUE(bring(steps));
  {
    PostgresGateway gateway(shared_postgres().url(database_));
    ASSERT_TRUE(gateway.put("a", 1, "kept"));
  }
  steps.push_back(
      "alter table stateway.sessions add column note text; update stateway.sessions set note = 'x'");
  const auto done = bring(steps);
  ASSERT_TRUE(done) << done.error().context;
  EXPECT_EQ(done->from, schema_version());
  EXPECT_EQ(done->to, schema_version() + 1);
  EXPECT_EQ(sql("select convert_from(value, 'UTF8') || note from stateway.sessions"), "keptx");
  const auto later = bring();
  ASSERT_FALSE(later);
  EXPECT_THAT(later.error().context, HasSubstr("made by a later Stateway"));
}

TEST_F(PostgresMigration, ChangesNothingWhenItFails) {
  const char* const steps[] = {
      "create schema stateway; create table stateway.meta (version integer);"
      "insert into stateway.meta values (0)",
      "create table stateway.second (n integer); select 1/0"};
  const auto done = bring(steps);
  ASSERT_FALSE(done);
  EXPECT_EQ(code_name(done.error().code), "invalid-argument");
  EXPECT_THAT(done.error().context, HasSubstr("version 2 of the schema cannot be made: division by zero"));
  EXPECT_EQ(sql("select to_regnamespace('stateway') is null"), "t");
}

TEST_F(PostgresMigration, OfWhoMayNotCreateASchemaIsRefused) {
  sql("drop role if exists dora; create role dora login password 's3cret'");
  const auto done = migrate(postgres_options(shared_postgres().url_of("dora:s3cret", database_)));
  ASSERT_FALSE(done);
  EXPECT_EQ(code_name(done.error().code), "invalid-argument");
  EXPECT_THAT(done.error().context, HasSubstr("permission denied for database " + database_));
  sql("drop role dora");
}

}  // namespace
}  // namespace stateway::store::postgres
