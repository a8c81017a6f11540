// The example cart on a real PostgreSQL, from `stateway store migrate` on: what people see of it when the
// gateway or the database goes away.
#include <fmt/format.h>

#include <fstream>

#include "postgres_server.h"
#include "site.h"

namespace stateway::scenario {
namespace {

using stores::shared_postgres;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class PostgresCart : public Site {
 protected:
  void TearDown() override {
    if (!shared_postgres().running()) shared_postgres().start();
    Site::TearDown();
  }

  std::string config(const std::string& url) {
    std::string text = cart_config({});
    const std::string embedded = "path = \"@DIR@/state\"\n";
    const auto at = text.find(embedded);
    EXPECT_NE(at, std::string::npos);
    return text.replace(at, embedded.size(),
                        fmt::format("kind = \"postgres\"\nurl = \"{}\"\ntimeout = \"1s\"\n", url));
  }
  /// A command of `stateway` with that configuration, on any ports.
  Ended run(std::vector<std::string> words, std::string text) {
    for (const auto& [from, to] : {std::pair<std::string, std::string>("@CLIENTS@", "127.0.0.1:0"),
                                   {"@ADMIN@", "127.0.0.1:0"},
                                   {"@CART@", cart_binary()},
                                   {"@DIR@", folder.path()}})
      for (auto at = text.find(from); at != std::string::npos; at = text.find(from))
        text.replace(at, from.size(), to);
    std::ofstream(folder / "command.toml") << text;
    words.insert(words.end(), {"-c", folder / "command.toml"});
    return run_stateway(folder, std::move(words));
  }
  void add(std::string_view id, int status = 201) {
    const Reply reply =
        browse(browser_, "POST", "/api/cart/items", fmt::format(R"({{"id":"{0}","name":"{0}"}})", id));
    EXPECT_EQ(reply.status, status) << reply.body;
  }
  std::string cart() { return browse(browser_, "GET", "/api/cart").body; }

  Browser browser_;
  std::string database_ = shared_postgres().new_database();
  std::string url_ = shared_postgres().url(database_);
};

TEST_F(PostgresCart, SurvivesTheGatewayAndWaitsForTheDatabase) {
  const Ended migrated = run({"store", "migrate"}, config(url_));
  EXPECT_EQ(migrated.status, 0) << migrated.output;
  start(config(url_));
  add("bread");
  add("milk");
  const std::string cookie = browser_.cookie;
  stop();
  restart();
  EXPECT_THAT(cart(), HasSubstr(R"("bread":{"name":"bread","n":1},"milk":{"name":"milk","n":1})"));

  shared_postgres().stop();
  const Reply away = browse(browser_, "GET", "/api/cart");
  EXPECT_EQ(away.status, 503);
  EXPECT_EQ(away.field("Retry-After"), "1");
  EXPECT_THAT(away.body, HasSubstr("store-unavailable"));
  EXPECT_FALSE(away.has("Set-Cookie"));
  EXPECT_EQ(browser_.cookie, cookie);

  shared_postgres().start();
  eventually([&] { return browse(browser_, "GET", "/api/cart").status == 200; });
  EXPECT_THAT(cart(), HasSubstr(R"("version":2)"));
  add("salt");
  EXPECT_THAT(cart(), HasSubstr(R"("version":3)"));
  EXPECT_EQ(browser_.cookie, cookie);
}

TEST_F(PostgresCart, OneThatIsKilledKeepsTheCart) {
  ASSERT_EQ(run({"store", "migrate"}, config(url_)).status, 0);
  start(config(url_));
  add("bread");
  shared_postgres().kill();
  add("milk", 503);
  shared_postgres().start();
  eventually([&] { return browse(browser_, "GET", "/api/cart").status == 200; });
  // Whoever was told 503 does not know; the version says what is there.
  EXPECT_THAT(cart(), HasSubstr(R"("bread":{"name":"bread","n":1})"));
}

TEST_F(PostgresCart, WhatTheOperatorMustDoIsSaid) {
  const auto refuses = [&](const std::string& url, std::string_view why) {
    const Ended ended = run({"run"}, config(url));
    EXPECT_EQ(ended.status, 2) << ended.output;
    EXPECT_THAT(ended.output, HasSubstr(why));
    EXPECT_THAT(ended.output, Not(HasSubstr("s3cret")));
  };
  refuses(url_, "/" + database_ + ": there is no schema of Stateway's: run stateway store migrate once");
  refuses(shared_postgres().url_of("ann:s3cret", database_),
          "password authentication failed for user \"ann\"");
  refuses("postgres://ann:s3cret@127.0.0.1:1/x", "127.0.0.1:1/x: Connection refused");
  refuses("postgres://ann:s3cret@h/x?no=1", "url: invalid URI query parameter");

  const Ended wrong = run({"store", "migrate"}, config(shared_postgres().url_of("ann:s3cret", database_)));
  EXPECT_EQ(wrong.status, 2) << wrong.output;
  EXPECT_THAT(wrong.output, HasSubstr("password authentication failed"));
  const Ended nobody = run({"store", "migrate"}, config("postgres://ann:s3cret@127.0.0.1:1/x"));
  EXPECT_EQ(nobody.status, 1) << nobody.output;
  const Ended first = run({"store", "migrate"}, config(url_));
  EXPECT_EQ(first.status, 0) << first.output;
  EXPECT_THAT(first.output, StartsWith("the schema in 127.0.0.1:"));
  EXPECT_THAT(first.output, HasSubstr("is of version 1 now; there was none"));
  const Ended second = run({"store", "migrate"}, config(url_));
  EXPECT_EQ(second.status, 0);
  EXPECT_THAT(second.output, HasSubstr("is of version 1 already"));
  const Ended embedded = run({"store", "migrate"}, cart_config({}));
  EXPECT_EQ(embedded.status, 2);
  EXPECT_THAT(embedded.output, HasSubstr("only kind = \"postgres\" has a schema"));
}

}  // namespace
}  // namespace stateway::scenario
