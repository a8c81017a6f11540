#include "store/postgres/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stateway::store::postgres {
namespace {

StoreOptions with_url(std::string url) { return {.kind = Kind::postgres, .url = Secret(std::move(url))}; }

std::vector<std::string> names(const Target& target) {
  std::vector<std::string> out;
  for (const Target::Server& server : target.servers) out.push_back(server.name());
  return out;
}

TEST(Target, ServersOfAUrl) {
  const struct {
    std::string url;
    std::vector<std::string> names;
  } kTable[] = {
      {"postgres://db", {"db:5432"}},
      {"postgresql://ann:x@db.example:6000/shop", {"db.example:6000"}},
      {"postgres://ann%40corp:x%40%2Fy@db/sh%40p?application_name=a@b/c", {"db:5432"}},
      {"postgres://a,b:7/shop", {"a:5432", "b:7"}},
      {"postgres://[2001:db8::1]:7/shop", {"[2001:db8::1]:7"}},
      {"postgres:///shop?host=/run/pg&port=7", {"/run/pg/.s.PGSQL.7"}},
      {"postgres:///shop", {"the local server of port 5432"}},
      {"postgres:///shop?hostaddr=127.0.0.1,127.0.0.2&port=7", {"127.0.0.1:7", "127.0.0.2:7"}},
      {"postgres://db/shop?hostaddr=10.0.0.1", {"db:5432"}},
  };
  for (const auto& row : kTable) {
    const auto target = parse_target(with_url(row.url));
    ASSERT_TRUE(target) << row.url << target.error().context;
    EXPECT_EQ(names(*target), row.names) << row.url;
  }
}

TEST(Target, MistakesAreNamedWithoutTheUrl) {
  const std::pair<const char*, const char*> kTable[] = {
      {"redis://ann:hidden@db", "it must begin with postgres:// or postgresql://"},
      {"postgres://ann:hidden@[::1/shop", "end of string reached when looking for matching"},
      {"postgres://ann:hidden@db/shop?nothing=hidden", "invalid URI query parameter"},
      {"postgres://ann:hid%ZZden@db/shop", "invalid percent-encoded token"},
      {"postgres://ann:hidden@db:hidden/shop", "a port is a number from 1 to 65535"},
      {"postgres://ann:hidden@db:0/shop", "a port is a number from 1 to 65535"},
      {"postgres://ann:hidden@db:65536/shop", "a port is a number from 1 to 65535"},
      {"postgres://ann:hid@hidden@db/shop", "in a user's name or password, write %40 for @ and %2F for /"},
      {"postgres://ann:x@hid@db:7", "in a user's name or password, write %40 for @ and %2F for /"},
      {"postgres://ann:12/hidden@db/shop", "in a user's name or password, write %40 for @ and %2F for /"},
      {"postgres://a,b/shop?port=1,2,3", "it has not as many ports as hosts"},
      {"postgres://a,b/shop?hostaddr=10.0.0.1", "host and hostaddr must name as many servers"},
      {"postgres:///shop?service=hidden", "services of pg_service.conf are not supported: name the server"},
  };
  for (const auto& [url, why] : kTable) {
    const auto target = parse_target(with_url(url));
    ASSERT_FALSE(target) << url;
    EXPECT_EQ(code_name(target.error().code), "invalid-argument");
    EXPECT_THAT(target.error().context, testing::StartsWith(why)) << url;
    EXPECT_THAT(target.error().context, testing::Not(testing::HasSubstr("hid"))) << url;
  }
}

TEST(Target, WhatTheStoreNeedsIsAdded) {
  StoreOptions options = with_url(
      "postgres://ann:s%2F1@db/shop?keepalives_idle=7&connect_timeout=9"
      "&target_session_attrs=any");
  options.timeout = 1500ms;
  const auto target = parse_target(options).value();
  EXPECT_EQ(target.user, "ann");
  EXPECT_EQ(target.database, "shop");
  EXPECT_EQ(target.setting("password"), "s/1");
  EXPECT_EQ(target.setting("target_session_attrs"), "read-write");
  EXPECT_EQ(target.setting("keepalives_idle"), "7");
  EXPECT_EQ(target.setting("tcp_user_timeout"), "1500");
  EXPECT_EQ(target.setting("connect_timeout"), "") << "libpq does not look at it here";
  EXPECT_EQ(target.setting("sslmode"), "") << "libpq's";
}

TEST(Target, ACaFileAsksForVerifiedTls) {
  StoreOptions options = with_url("postgres://db/shop");
  options.ca_file = "/etc/our-ca.pem";
  Target target = parse_target(options).value();
  EXPECT_EQ(target.setting("sslmode"), "verify-full");
  EXPECT_EQ(target.setting("sslrootcert"), "/etc/our-ca.pem");
  options.url = Secret("postgres://db/shop?sslmode=verify-ca");
  EXPECT_EQ(parse_target(options).value().setting("sslmode"), "verify-ca");
}

}  // namespace
}  // namespace stateway::store::postgres
