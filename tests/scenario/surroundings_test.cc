// A gateway whose store is not as it should be: it says so in a sentence and ends with 2, or answers 503; and
// nothing of what was acknowledged is damaged.
#include <fmt/format.h>

#include "postgres_server.h"
#include "redis_server.h"
#include "site.h"
#include "small_disk.h"

namespace stateway::scenario {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

class Surroundings : public Site {
 protected:
  /// `stateway run` with that [store], which must end by itself.
  Ended run(std::string_view store) {
    write_config(cart_config({.store = store, .instances = 1}));
    return run_stateway(folder, {"run", "-c", folder / "stateway.toml"});
  }
  static std::string remote(std::string_view kind, std::string_view url) {
    return fmt::format("kind = \"{}\"\nurl = \"{}\"\ntimeout = \"1s\"", kind, url);
  }
};

TEST_F(Surroundings, AWrongPasswordOfRedis) {
  const stores::RedisServer redis({.password = "right"});
  const Ended ended = run(remote("redis", fmt::format("redis://:wr0ng@{}", redis.address())));
  EXPECT_EQ(ended.status, 2) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("password"));
  EXPECT_THAT(ended.output, Not(HasSubstr("wr0ng")));
}

TEST_F(Surroundings, AWrongPasswordOfPostgres) {
  stores::PostgresServer postgres;
  const Ended ended = run(remote("postgres", postgres.url_of("ann:wr0ng", postgres.new_database())));
  EXPECT_EQ(ended.status, 2) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("password"));
  EXPECT_THAT(ended.output, Not(HasSubstr("wr0ng")));
}

TEST_F(Surroundings, ADatabaseWithoutOurTables) {
  stores::PostgresServer postgres;
  const Ended ended = run(remote("postgres", postgres.url(postgres.new_database())));
  EXPECT_EQ(ended.status, 2) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("stateway store migrate"));
}

TEST_F(Surroundings, AStoreThatNobodyServes) {
  const stores::ReservedPort nobody;
  for (const char* kind : {"redis", "postgres"}) {
    const std::string scheme = kind, at = fmt::format("127.0.0.1:{}", nobody.number());
    const Ended ended = run(remote(kind, scheme + "://ann:s3cret@" + at + (scheme == "redis" ? "" : "/x")));
    EXPECT_EQ(ended.status, 2) << kind << ": " << ended.output;
    EXPECT_THAT(ended.output, HasSubstr(at)) << kind;
    EXPECT_THAT(ended.output, Not(HasSubstr("s3cret"))) << kind;
  }
}

TEST_F(Surroundings, ANameThatNobodyHas) {
  for (const char* kind : {"redis", "postgres"}) {
    const Ended ended = run(remote(kind, fmt::format("{}://nobody.invalid/0", kind)));
    EXPECT_EQ(ended.status, 2) << kind << ": " << ended.output;
    EXPECT_THAT(ended.output, HasSubstr("nobody.invalid")) << kind;
  }
}

TEST_F(Surroundings, ARedisThatThrowsSessionsOut) {
  const stores::RedisServer redis({.directives = {"maxmemory 100mb", "maxmemory-policy allkeys-lru"}});
  const Ended ended = run(remote("redis", "redis://" + redis.address()));
  EXPECT_EQ(ended.status, 2) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("noeviction"));
}

TEST_F(Surroundings, ADirectoryThatTakesNothing) {
  std::filesystem::create_directory(folder / "disk");
  SmallDisk disk(folder / "disk", 4);
  if (!disk.mounted()) GTEST_SKIP() << "nothing may be mounted here: " << disk.why_not();
  disk.make_read_only();
  const Ended ended = run("path = \"@DIR@/disk/state\"");
  EXPECT_EQ(ended.status, 2) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("disk/state"));
  EXPECT_THAT(ended.output, HasSubstr("Read-only file system"));
}

class FullDisk : public Site {
 protected:
  /// Sessions begun until one is refused, each with a document of some KiB. True once one was.
  bool begin_until_refused() {
    for (int i = 0; i < 3000; ++i) {
      Browser browser;
      const std::string body = fmt::format(R"({{"n":{},"text":"{}"}})", i, std::string(20'000, 'x'));
      const Reply reply = browse(browser, "POST", "/s/patch", body);
      if (reply.status != 200) {
        EXPECT_EQ(reply.status, 503) << reply.body;
        EXPECT_EQ(browser.cookie, "") << "nobody is told of what is not stored";
        return true;
      }
      begun_.push_back({browser, body});
    }
    return false;
  }
  void expect_all() {
    for (auto& [browser, body] : begun_) {
      const Reply reply = browse(browser, "GET", "/s/session-url");
      EXPECT_EQ(reply.body, "200 " + body);
    }
  }
  std::size_t begun() const { return begun_.size(); }

 private:
  std::vector<std::pair<Browser, std::string>> begun_;
};

TEST_F(FullDisk, OfTheEmbeddedStoreIs503AndDamagesNothing) {
  std::filesystem::create_directory(folder / "disk");
  SmallDisk disk(folder / "disk", 64);
  if (!disk.mounted()) GTEST_SKIP() << "nothing may be mounted here: " << disk.why_not();
  std::string config = documents_config("store");
  ASSERT_NO_FATAL_FAILURE(start(config.replace(config.find("@DIR@/state"), 11, "@DIR@/disk/state")));
  disk.fill(4 << 20);
  ASSERT_TRUE(begin_until_refused());
  EXPECT_GT(begun(), 10u);
  expect_all();  // reads go on
  disk.make_room();
  gateway->kill();
  restart();
  expect_all();
  Browser after;
  EXPECT_EQ(browse(after, "POST", "/s/patch", R"({"a":1})").status, 200);
}

TEST_F(FullDisk, OfTheJournalIs503AndLosesNothing) {
  std::filesystem::create_directory(folder / "disk");
  SmallDisk disk(folder / "disk", 64);
  if (!disk.mounted()) GTEST_SKIP() << "nothing may be mounted here: " << disk.why_not();
  stores::RedisServer redis;
  const std::string store = fmt::format(
      "kind = \"redis\"\nurl = \"redis://{}\"\ntimeout = \"1s\"\non_outage = \"journal\"\n"
      "journal = \"@DIR@/disk/journal\"",
      redis.address());
  std::string config = documents_config("store");
  const std::string_view path = "path = \"@DIR@/state\"";
  ASSERT_NO_FATAL_FAILURE(start(config.replace(config.find(path), path.size(), store)));
  disk.fill(4 << 20);
  redis.freeze();
  ASSERT_TRUE(begin_until_refused());
  EXPECT_GT(begun(), 10u);
  redis.thaw();
  eventually([&] { return status_number("pending") == 0; });
  expect_all();
  disk.make_room();
  gateway->kill();
  restart();
  expect_all();
}

}  // namespace
}  // namespace stateway::scenario
