// What an operator may get wrong, what a Redis promises, TLS, and a Redis that goes and comes back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "io/sim/certificates.h"
#include "redis_server.h"
#include "store/redis/redis_store.h"
#include "store/store_fixture.h"
#include "store/temporary_directory.h"

namespace stateway::store {
namespace {

using redis::RedisStore;
using stores::RedisOptions;
using stores::RedisServer;
using testing::HasSubstr;

StoreOptions options_for(const std::string& url, Durability durability = Durability::memory) {
  StoreOptions options;
  options.kind = Kind::redis;
  options.url = Secret(url);
  options.durability = durability;
  options.timeout = 10s;
  return options;
}

Result<void> check(const StoreOptions& options) {
  const SystemClock clock;
  auto made = RedisStore::make(options, clock);
  if (!made) return pass_on(std::move(made));
  return (*made)->check();
}

std::string effective(const StoreOptions& options) {
  const SystemClock clock;
  const auto made = RedisStore::make(options, clock).value();
  const auto checked = made->check();
  EXPECT_TRUE(checked.has_value()) << checked.error().context;
  return std::string(made->stats().durability);
}

void expect_refusal(const StoreOptions& options, Code code, const char* says) {
  const auto checked = check(options);
  ASSERT_FALSE(checked.has_value()) << says;
  EXPECT_EQ(code_name(checked.error().code), code_name(code)) << checked.error().context;
  EXPECT_THAT(checked.error().context, HasSubstr(says));
  EXPECT_THAT(checked.error().context, testing::Not(HasSubstr("hunter2")));
}

TEST(RedisSettings, EachMistakeIsASentence) {
  RedisServer open;
  RedisServer closed({.password = "s3cret"});
  expect_refusal(options_for("redis://:hunter2@" + open.address()), Code::invalid_argument, "asks for none");
  expect_refusal(options_for("redis://" + closed.address()), Code::invalid_argument, "wants a password");
  expect_refusal(options_for("redis://:hunter2@" + closed.address()), Code::invalid_argument,
                 "wrong user or password");
  expect_refusal(options_for("redis://ann:hunter2@" + closed.address()), Code::invalid_argument,
                 "wrong user or password");
  expect_refusal(options_for("redis://" + open.address() + "/99"), Code::invalid_argument, "database");
  expect_refusal(options_for("redis://no such host"), Code::invalid_argument, "[store] url: ");
  EXPECT_TRUE(check(options_for("redis://:s3cret@" + closed.address() + "/3")).has_value());
  EXPECT_TRUE(check(options_for("redis://default:s3cret@" + closed.address())).has_value());
  EXPECT_TRUE(check(options_for("redis+unix://" + open.socket())).has_value());

  open.must({"CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "allkeys-lru"});
  expect_refusal(options_for("redis://" + open.address()), Code::invalid_argument, "noeviction");
  open.must({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  EXPECT_TRUE(check(options_for("redis://" + open.address())).has_value());

  open.must({"REPLICAOF", "127.0.0.1", std::to_string(closed.port())});
  expect_refusal(options_for("redis://" + open.address()), Code::store_unavailable, "replica");
  open.stop();
  expect_refusal(options_for("redis://" + open.address()), Code::store_unavailable, "cannot be reached");
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path);
  out << text;
  ASSERT_TRUE(out.flush()) << path;
}

TEST(RedisSettings, TlsTrustsWhoItIsTold) {
  const TemporaryDirectory folder;
  const io::TestAuthority authority, stranger;
  const auto file = [&](const char* name) { return folder.path() + "/" + name; };
  const io::TestCertificate certificate = authority.issue({"127.0.0.1"});
  write_file(file("server.pem"), certificate.certificate);
  write_file(file("server.key"), certificate.key);
  write_file(file("ca.pem"), authority.certificate());
  write_file(file("stranger.pem"), stranger.certificate());
  const RedisOptions::Tls tls{
      .certificate = file("server.pem"), .key = file("server.key"), .ca = file("ca.pem")};
  RedisServer server({.password = "s3cret", .tls = tls});
  StoreOptions options = options_for("rediss://:s3cret@" + server.address());
  options.ca_file = file("ca.pem");
  const auto checked = check(options);
  EXPECT_TRUE(checked.has_value()) << checked.error().context;
  options.ca_file = file("stranger.pem");
  expect_refusal(options, Code::invalid_argument, "certificate");
  options.ca_file = file("none.pem");
  expect_refusal(options, Code::invalid_argument, "none.pem");
  options = options_for("redis://:hunter2@" + server.address());
  options.timeout = 2s;
  expect_refusal(options, Code::store_unavailable, "redis 127.0.0.1");  // it hangs up
}

TEST(RedisSettings, WhatCommitsSurviveIsFoundOut) {
  RedisServer volatile_one;
  RedisServer each_second({.directives = {"appendonly yes", "appendfsync everysec"}});
  RedisServer always({.directives = {"appendonly yes", "appendfsync always"}});
  RedisServer mostly(
      {.directives = {"appendonly yes", "appendfsync always", "no-appendfsync-on-rewrite yes"}});
  const auto of = [](RedisServer& server, Durability asked) {
    return effective(options_for("redis://" + server.address(), asked));
  };
  EXPECT_EQ(of(volatile_one, Durability::sync), "memory");
  EXPECT_EQ(of(volatile_one, Durability::os), "memory");
  EXPECT_EQ(of(volatile_one, Durability::memory), "memory");
  EXPECT_EQ(of(each_second, Durability::sync), "os");
  EXPECT_EQ(of(each_second, Durability::os), "os");
  EXPECT_EQ(of(each_second, Durability::memory), "memory");
  EXPECT_EQ(of(always, Durability::sync), "sync");
  EXPECT_EQ(of(always, Durability::os), "os");
  EXPECT_EQ(of(mostly, Durability::sync), "os");
  always.must({"ACL", "SETUSER", "ann", "on", ">pw", "~*", "&*", "+@all", "-config"});
  EXPECT_EQ(effective(options_for("redis://ann:pw@" + always.address(), Durability::sync)), "os");
}

/// The store that [store] describes, with synchronous calls.
struct Configured {
  std::unique_ptr<StateStore> make(const WallClock& clock, std::uint64_t) {
    return RedisStore::make(options, clock).value();
  }
  StoreOptions options = options_for("redis://127.0.0.1:1");
};

class RedisConfigured : public StoreFixture<Configured> {
 protected:
  void use(StoreOptions options) {
    provider_.options = std::move(options);
    open();
  }
};

TEST_F(RedisConfigured, ReplicasConfirmOrTheCommitIsNotDurable) {
  RedisServer master;
  RedisServer replica({.directives = {"replicaof 127.0.0.1 " + std::to_string(master.port())}});
  StoreOptions options = options_for("redis://" + master.address());
  options.replicas = 1;
  use(options);
  EXPECT_TRUE(put("a", live(1, in(1000), "1")));
  EXPECT_NE(replica.ask({"KEYS", "stateway:{*"}).items.size(), 0u);

  options.timeout = 500ms;
  use(options);
  replica.freeze();
  EXPECT_CODE(put("a", live(2, in(1000), "2")), Code::not_durable);
  replica.thaw();
  EXPECT_EQ(loaded("a")->value, "2") << "it is applied";
  options.timeout = 10s;
  use(options);
  EXPECT_TRUE(put("a", live(3, in(1000), "3")));
  options.replicas = 2;
  options.timeout = 500ms;
  use(options);
  EXPECT_CODE(put("a", live(4, in(1000), "4")), Code::not_durable);
}

TEST_F(RedisConfigured, WhatIsSetWhileItRunsIsSeen) {
  RedisServer server({.directives = {"appendonly yes", "appendfsync always"}});
  StoreOptions options = options_for("redis://" + server.address(), Durability::sync);
  options.clock_margin = 0s;
  use(options);
  const auto effective_after_ten_sweeps = [this] {
    for (int i = 0; i < 10; ++i) EXPECT_EQ(sweep(100), 0u);
    return std::string(store_->stats().durability);
  };
  EXPECT_EQ(effective_after_ten_sweeps(), "sync");
  server.must({"CONFIG", "SET", "appendonly", "no"});
  EXPECT_EQ(effective_after_ten_sweeps(), "memory");
}

TEST_F(RedisConfigured, AGatewayWhoseClockIsWrongRemovesNothing) {
  RedisServer server;
  use(options_for("redis://" + server.address()));
  ASSERT_TRUE(put("a", live(1, in(1000), "1")));
  const SystemClock real;
  clock_.set(real.now() + 3'600'000);
  EXPECT_EQ(sweep(100), 0u) << "an hour ahead";
  clock_.set(real.now());
  EXPECT_EQ(sweep(100), 1u) << "it expired long ago";
}

TEST_F(RedisConfigured, AServerThatGoesAndComesBack) {
  RedisServer server({.directives = {"appendonly yes", "appendfsync always"}});
  StoreOptions options = options_for("redis://" + server.address());
  use(options);
  ASSERT_TRUE(put("a", live(1, in(1000), "1")));
  const std::uint64_t epoch = store_->epoch();
  EXPECT_NE(epoch, 0u);

  server.kill();
  auto later = loop_.start([this](io::Loop& loop) { return store_->load(loop, "a"); });
  server.start();
  auto found = LoopThread::get(std::move(later));
  ASSERT_TRUE(found.has_value()) << found.error().context;
  EXPECT_EQ((*found)->value, "1") << "it waited for the server";
  EXPECT_NE(store_->epoch(), epoch);
  EXPECT_TRUE(put("a", live(2, in(1000), "2"))) << "the new process does not know the scripts";

  options.timeout = 300ms;
  use(options);
  EXPECT_EQ(loaded("a")->value, "2");
  server.freeze();
  EXPECT_CODE(load("a"), Code::store_unavailable);
  EXPECT_CODE(put("a", live(3, in(1000), "3")), Code::store_unavailable);
  server.thaw();
}

}  // namespace
}  // namespace stateway::store
