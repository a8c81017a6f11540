// The example cart on a real Redis: what a person sees of it when the gateway or Redis goes and comes back.
#include <fmt/format.h>

#include "redis_server.h"
#include "site.h"

namespace stateway::scenario {
namespace {

using testing::HasSubstr;

class CartInRedis : public Site {
 protected:
  void begin() {
    const std::string store =
        fmt::format("kind = \"redis\"\nurl = \"redis://:s3cret@{}\"\ntimeout = \"1s\"", redis_.address());
    start(cart_config({.store = store, .instances = 1}));
    EXPECT_EQ(browse(browser_, "POST", "/api/cart/items", R"({"id":"bread","name":"bread"})").status, 201);
    EXPECT_NE(browser_.cookie, "");
  }
  std::string cart() { return browse(browser_, "GET", "/api/cart").body; }

  stores::RedisServer redis_{{.directives = {"appendonly yes", "appendfsync always"}, .password = "s3cret"}};
  Browser browser_;
};

TEST_F(CartInRedis, SurvivesTheGateway) {
  begin();
  EXPECT_THAT(ask_admin("/v1/status").body, HasSubstr(R"("durability_effective":"sync")"));
  gateway->kill();
  expect_nothing_left();
  restart();
  EXPECT_THAT(cart(), HasSubstr("bread"));
  EXPECT_EQ(status_number("records"), 1u) << "counted at the start";
}

TEST_F(CartInRedis, WaitsForARedisThatIsAwayAndKeepsItsCookie) {
  begin();
  redis_.stop();
  const std::string cookie = browser_.cookie;
  for (const char* method : {"GET", "POST"}) {
    const Reply refused = browse(browser_, method, method[0] == 'G' ? "/api/cart" : "/api/cart/items",
                                 method[0] == 'G' ? "" : R"({"id":"milk","name":"milk"})");
    EXPECT_EQ(refused.status, 503) << method;
    EXPECT_EQ(refused.problem(), "store-unavailable") << method;
    EXPECT_TRUE(refused.has("Retry-After")) << method;
    EXPECT_FALSE(refused.has("Set-Cookie")) << method;
  }
  redis_.start();
  EXPECT_EQ(browser_.cookie, cookie);
  const std::string items = cart();
  EXPECT_THAT(items, HasSubstr("bread"));
  EXPECT_THAT(items, testing::Not(HasSubstr("milk")));
  EXPECT_EQ(browse(browser_, "POST", "/api/cart/items", R"({"id":"eggs","name":"eggs"})").status, 201);
  EXPECT_THAT(cart(), HasSubstr("eggs"));
}

TEST_F(CartInRedis, ItsPasswordIsInNoLog) {
  begin();
  redis_.stop();
  EXPECT_EQ(browse(browser_, "GET", "/api/cart").status, 503);
  redis_.start();
  EXPECT_THAT(cart(), HasSubstr("bread"));
  EXPECT_THAT(gateway->log(), HasSubstr(redis_.address()));
  EXPECT_THAT(gateway->log(), testing::Not(HasSubstr("s3cret")));
  EXPECT_THAT(ask_admin("/v1/configuration").body, testing::Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace stateway::scenario
