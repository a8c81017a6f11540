#include <gtest/gtest.h>
#include <signal.h>

#include "lab/program.h"
#include "postgres_server.h"

namespace stateway::stores {
namespace {

TEST(PostgresFixture, EachDatabaseIsACopyOfItsOwn) {
  PostgresServer& server = shared_postgres();
  const std::string first = server.new_database();
  server.sql(first, "create table t (n int); insert into t values (7)");
  const std::string copy = server.new_database(first);
  server.sql(first, "delete from t");
  EXPECT_EQ(server.sql(copy, "select n from t"), "7");
  EXPECT_EQ(server.sql(server.new_database(), "select to_regclass('t') is null"), "t");
}

TEST(PostgresFixture, WhatWasCommittedOutlivesEachWayToEnd) {
  PostgresServer server;
  const std::string port = std::to_string(server.port());
  server.sql("postgres", "create table t (n int)");
  server.sql("postgres", "insert into t values (1)");
  server.kill();
  EXPECT_FALSE(server.running());
  EXPECT_THROW(server.sql("postgres", "select 1"), std::runtime_error);
  server.start();
  EXPECT_EQ(server.sql("postgres", "select count(*) from t"), "1");
  server.stop();
  EXPECT_FALSE(server.running());
  server.start();
  EXPECT_EQ(server.sql("postgres", "select count(*) from t"), "1");
  EXPECT_EQ(server.sql("postgres", "show port"), port);
}

TEST(PostgresFixture, AFrozenOneGoesOnWhereItWas) {
  PostgresServer& server = shared_postgres();
  server.freeze();
  server.thaw();
  EXPECT_EQ(server.sql("postgres", "select 1"), "1");
}

}  // namespace
}  // namespace stateway::stores
