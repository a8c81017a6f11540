// A primary that dies and a standby that takes its place, under commits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "postgres_gateway.h"
#include "wait.h"

namespace stateway::stores {
namespace {

TEST(PostgresFailover, APromotedStandbyGoesOnWithAllThatWasAcknowledged) {
  constexpr int kKeys = 6, kTimes = 150;
  PostgresServer primary;
  const std::string database = migrated_database(primary);
  PostgresServer standby(PostgresServer::StandbyOf{primary});
  primary.sql("postgres", "alter system set synchronous_standby_names = '*'");
  primary.sql("postgres", "select pg_reload_conf()");
  const auto follows = [&] {
    return primary.sql("postgres", "select sync_state from pg_stat_replication") == "sync";
  };
  wait_until("the standby to be a synchronous one", follows);

  PostgresGateway alone(standby.url(database));
  EXPECT_THAT(alone.store().check().error().context, testing::HasSubstr("session is read-only"));

  PostgresGateway gateway(
      postgres_options("postgres://ann:s3cret%2Fof%3Aann@127.0.0.1:" + std::to_string(primary.port()) +
                       ",127.0.0.1:" + std::to_string(standby.port()) + "/" + database));
  ASSERT_TRUE(gateway.store().check());
  const std::uint64_t before = gateway.store().epoch();
  std::vector<std::future<int>> running;
  for (int i = 0; i < kKeys; ++i)
    running.push_back(gateway.loop().start([&gateway, i](io::Loop& loop) {
      return commit_in_a_row(loop, gateway.store(), "k" + std::to_string(i), 7, kTimes,
                             gateway.in(1'000'000));
    }));
  const auto some = [&] { return gateway.store().stats().commits >= 60; };
  wait_until("some commits", some, 60s);
  primary.kill();
  standby.promote();
  for (auto& task : running) EXPECT_EQ(store::LoopThread::get(std::move(task)), kTimes);
  for (int i = 0; i < kKeys; ++i) {
    const auto record = gateway.load("k" + std::to_string(i)).value();
    ASSERT_TRUE(record);
    EXPECT_EQ(record->revision, static_cast<store::Revision>(kTimes));
  }
  EXPECT_NE(gateway.store().epoch(), before);
}

}  // namespace
}  // namespace stateway::stores
