// What gateways are told, and what is there afterwards, when their PostgreSQL is killed, stopped, frozen or
// made a server that takes no writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "postgres_gateway.h"
#include "wait.h"

namespace stateway::stores {
namespace {

using testing::HasSubstr;
using testing::Not;

/// One server for the file, which syncs; each test leaves it running.
PostgresServer& server() {
  static PostgresServer one({"fsync=on"});
  return one;
}

class PostgresFailure : public testing::Test {
 protected:
  void SetUp() override {
    if (!server().running()) server().start();
    database_ = migrated_database(server());
  }
  store::StoreOptions hasty() const {
    store::StoreOptions options = postgres_options(server().url(database_));
    options.timeout = 500ms;
    return options;
  }
  static void expect_unavailable(const Result<std::optional<store::Record>>& loaded) {
    ASSERT_FALSE(loaded);
    EXPECT_EQ(code_name(loaded.error().code), "store-unavailable");
    EXPECT_THAT(loaded.error().context, HasSubstr("127.0.0.1:" + std::to_string(server().port())));
    EXPECT_THAT(loaded.error().context, Not(HasSubstr("s3cret")));
  }
  /// Until it serves again; what it said before that was that it did not.
  static std::optional<store::Record> load_at_last(PostgresGateway& gateway, const std::string& key) {
    std::optional<store::Record> record;
    const auto loads = [&] {
      auto loaded = gateway.load(key);
      if (loaded) record = *loaded;
      return loaded.has_value();
    };
    wait_until("the store to serve", loads);
    return record;
  }
  std::string database_;
};

TEST_F(PostgresFailure, AServerThatIsKilledLosesNothingItAcknowledged) {
  constexpr int kKeys = 8, kTimes = 90;
  PostgresGateway one(server().url(database_)), other(server().url(database_));
  ASSERT_TRUE(one.store().check());
  EXPECT_EQ(one.store().stats().durability, "sync");
  const std::uint64_t before = one.store().epoch();
  std::vector<std::future<int>> running;
  for (int i = 0; i < kKeys; ++i) {
    PostgresGateway& gateway = i % 2 == 0 ? one : other;
    running.push_back(gateway.loop().start([&gateway, i](io::Loop& loop) {
      return commit_in_a_row(loop, gateway.store(), "k" + std::to_string(i), 1 + i % 2, kTimes,
                             gateway.in(1'000'000));
    }));
  }
  for (int kills = 0; kills < 3; ++kills) {
    const auto some = [&] { return one.store().stats().commits >= static_cast<unsigned>(40 * (kills + 1)); };
    wait_until("some commits", some, 60s);
    server().kill();
    server().start();
  }
  // Each was acknowledged, some by a second connection: so each is there, and once.
  for (auto& task : running) EXPECT_EQ(store::LoopThread::get(std::move(task)), kTimes);
  for (int i = 0; i < kKeys; ++i) {
    const auto record = one.load("k" + std::to_string(i)).value();
    ASSERT_TRUE(record);
    EXPECT_EQ(record->revision, static_cast<store::Revision>(kTimes));
  }
  EXPECT_NE(one.store().epoch(), before) << "a crash may have lost something";
}

TEST_F(PostgresFailure, AStoppedServerIsAwayUntilItIsBack) {
  PostgresGateway gateway(hasty());
  ASSERT_TRUE(gateway.put("a", 1, "kept"));
  const std::uint64_t before = gateway.store().epoch();
  server().stop();
  expect_unavailable(gateway.load("a"));
  const auto refused = gateway.put("a", 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(code_name(refused.error().code), "store-unavailable");
  EXPECT_EQ(gateway.sweep(1).error().code, Code::store_unavailable);
  server().start();
  EXPECT_EQ(load_at_last(gateway, "a")->value, "kept");
  EXPECT_EQ(gateway.store().epoch(), before) << "an orderly end loses nothing";
  EXPECT_TRUE(gateway.put("a", 2));
}

TEST_F(PostgresFailure, AFrozenServerHoldsNobodyUp) {
  PostgresGateway gateway(hasty());
  ASSERT_TRUE(gateway.put("a", 1, "kept"));
  server().freeze();
  expect_unavailable(gateway.load("a"));
  expect_unavailable(gateway.load("a"));
  server().thaw();
  EXPECT_EQ(load_at_last(gateway, "a")->value, "kept");
}

TEST_F(PostgresFailure, AServerThatTakesNoWritesIsNone) {
  PostgresGateway gateway(hasty());
  ASSERT_TRUE(gateway.put("a", 1));
  server().sql(database_, "alter database " + database_ +
                              " set default_transaction_read_only = on;"
                              "select pg_terminate_backend(pid) from pg_stat_activity"
                              " where pid <> pg_backend_pid() and datname = current_database()");
  const auto away = [&] { return !gateway.load("a").has_value(); };
  wait_until("the store to see that", away);
  const auto refused = gateway.put("a", 2);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().context, HasSubstr("session is read-only"));
  server().sql("postgres", "alter database " + database_ + " reset default_transaction_read_only");
  load_at_last(gateway, "a");
  EXPECT_TRUE(gateway.put("a", 2));
}

TEST_F(PostgresFailure, OneThatWasNotThereAtTheStartIsUsedWhenItComes) {
  server().stop();
  PostgresGateway gateway(hasty());
  EXPECT_EQ(gateway.store().check().error().code, Code::store_unavailable);
  expect_unavailable(gateway.load("a"));
  server().start();
  EXPECT_FALSE(load_at_last(gateway, "a"));
}

}  // namespace
}  // namespace stateway::stores
