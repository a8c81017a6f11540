#include "store/redis/url.h"

#include <gtest/gtest.h>

namespace stateway::store::redis {
namespace {

std::string servers_of(const Url& url) {
  std::string out;
  for (const Address& server : url.servers) out += (out.empty() ? "" : " ") + to_string(server);
  return out;
}

TEST(RedisUrl, WhatCanBeWritten) {
  struct Row {
    const char* text;
    Url::Kind kind;
    bool tls;
    const char* servers;
    const char* user;
    const char* password;
    unsigned database;
    const char* master;
  };
  constexpr auto single = Url::Kind::single, cluster = Url::Kind::cluster, sentinel = Url::Kind::sentinel;
  const Row rows[] = {
      {"redis://localhost", single, false, "localhost:6379", "", "", 0, ""},
      {"redis://localhost/", single, false, "localhost:6379", "", "", 0, ""},
      {"redis://10.0.0.1:7000/3", single, false, "10.0.0.1:7000", "", "", 3, ""},
      {"redis://10.0.0.1:7000?db=3", single, false, "10.0.0.1:7000", "", "", 3, ""},
      {"redis://[::1]", single, false, "[::1]:6379", "", "", 0, ""},
      {"redis://[::1]:7000", single, false, "[::1]:7000", "", "", 0, ""},
      {"redis://:secret@cache", single, false, "cache:6379", "", "secret", 0, ""},
      {"rediss://ann:p%40ss%3a%25@cache:6380/1", single, true, "cache:6380", "ann", "p@ss:%", 1, ""},
      {"redis://a:b@c@cache", single, false, "cache:6379", "a", "b@c", 0, ""},
      {"redis+unix:///run/redis.sock", single, false, "unix:/run/redis.sock", "", "", 0, ""},
      {"redis+unix://:pw@/run/redis.sock?db=2", single, false, "unix:/run/redis.sock", "", "pw", 2, ""},
      {"redis+cluster://a:1,b:2,[::1]", cluster, false, "a:1 b:2 [::1]:6379", "", "", 0, ""},
      {"rediss+cluster://u:p@a:1/0", cluster, true, "a:1", "u", "p", 0, ""},
      {"redis+sentinel://a,b:7/shop", sentinel, false, "a:26379 b:7", "", "", 0, "shop"},
      {"rediss+sentinel://:p@a/shop?db=4", sentinel, true, "a:26379", "", "p", 4, "shop"},
  };
  for (const Row& row : rows) {
    const auto url = parse_url(row.text);
    ASSERT_TRUE(url.has_value()) << row.text << ": " << url.error().context;
    EXPECT_EQ(url->kind, row.kind) << row.text;
    EXPECT_EQ(url->tls, row.tls) << row.text;
    EXPECT_EQ(servers_of(*url), row.servers) << row.text;
    EXPECT_EQ(url->user, row.user) << row.text;
    EXPECT_EQ(url->password.reveal(), row.password) << row.text;
    EXPECT_EQ(url->database, row.database) << row.text;
    EXPECT_EQ(url->master, row.master) << row.text;
  }
}

TEST(RedisUrl, EachMistakeIsToldAndThePasswordIsNot) {
  const struct {
    const char* text;
    const char* says;
  } rows[] = {
      {"", "must begin with redis://"},
      {"hunter2", "must begin with redis://"},
      {"http://hunter2", "must begin with redis://"},
      {"REDIS://hunter2", "must begin with redis://"},
      {"redis://", "the host must be"},
      {"redis:///0", "the host must be"},
      {"redis://:hunter2@", "the host must be"},
      {"redis://:hunter2@cache:port", "the host must be"},
      {"redis://:hunter2@unix:/x", "the host must be"},
      {"redis://:hunter2@::1", "the host must be"},
      {"redis://:hunter2@cache:0", "between 1 and 65535"},
      {"redis://:hunter2@cache:65536", "the host must be"},
      {"redis://hunter2@cache", "no password"},
      {"redis://hunter2:@cache", "no password"},
      {"redis://:hunter2%@cache", "%25"},
      {"redis://:hunter2%2@cache", "%25"},
      {"redis://:hunter2%zz@cache", "%25"},
      {"redis://:hunter2@cache/one", "must be a number"},
      {"redis://:hunter2@cache/-1", "must be a number"},
      {"redis://:hunter2@cache/99999", "must be a number"},
      {"redis://:hunter2@cache?timeout=1", "only db=NUMBER"},
      {"redis://:hunter2@a,b", "several hosts"},
      {"redis+unix://run/redis.sock", "three slashes"},
      {"redis+unix://", "absolute path"},
      {"redis+cluster://:hunter2@a/1", "one database only"},
      {"redis+cluster://:hunter2@a?db=0", "one database only"},
      {"redis+cluster://:hunter2@a,,b", "the host must be"},
      {"redis+sentinel://:hunter2@a", "name of the master"},
      {"redis+sentinel://:hunter2@a/b/c", "name of the master"},
      {"redis+sentinel://bob:26379/hunter2@a", "%2F"},
      {"redis+sentinel://bob:1/hunter2@a/shop", "name of the master"},
  };
  for (const auto& row : rows) {
    const auto url = parse_url(row.text);
    ASSERT_FALSE(url.has_value()) << row.text;
    EXPECT_EQ(url.error().code, Code::invalid_argument) << row.text;
    EXPECT_NE(url.error().context.find(row.says), std::string::npos)
        << row.text << ": " << url.error().context;
    EXPECT_EQ(url.error().context.find("hunter2"), std::string::npos) << row.text;
  }
}

}  // namespace
}  // namespace stateway::store::redis
