// The example cart behind the gateway: what a person sees of it when processes die.
#include <fmt/format.h>

#include "io/sockets.h"
#include "site.h"

namespace stateway::scenario {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class CartTest : public Site {
 protected:
  // One request of a browser that keeps its cookie.
  Reply browse(std::string_view method, std::string_view target, std::string_view body = "") {
    const std::string cookie = cookie_.empty() ? "" : fmt::format("Cookie: {}\r\n", cookie_);
    Reply reply = ask(method, target, cookie, body);
    if (reply.has("Set-Cookie")) {
      const std::string set = reply.field("Set-Cookie");
      cookie_ = set.substr(0, set.find(';'));
    }
    return reply;
  }
  void add(std::string_view id) {
    const Reply reply =
        browse("POST", "/api/cart/items", fmt::format(R"({{"id":"{}","name":"{}"}})", id, id));
    EXPECT_EQ(reply.status, 201) << reply.body;
  }
  std::string cart() { return browse("GET", "/api/cart").body; }

  std::string cookie_;
};

TEST_F(CartTest, ACartIsFilledAndEmptied) {
  start(cart_config({}));
  EXPECT_THAT(cart(), HasSubstr(R"("items":{},"version":0)"));
  EXPECT_EQ(cookie_, "") << "a session begins with its first patch";
  add("bread");
  add("milk");
  add("bread");
  EXPECT_THAT(cookie_, StartsWith("cart="));
  EXPECT_THAT(cart(), HasSubstr(R"("bread":{"name":"bread","n":2})"));
  EXPECT_THAT(cart(), HasSubstr(R"("version":3)"));
  EXPECT_EQ(browse("DELETE", "/api/cart/items/bread").status, 200);
  EXPECT_THAT(cart(), HasSubstr(R"("items":{"milk":{"name":"milk","n":1}},"version":4)"));
  EXPECT_EQ(browse("DELETE", "/api/cart/items/bread").status, 404);
}

TEST_F(CartTest, ThePageAndItsHeadersComeThrough) {
  start(cart_config({}));
  const Reply page = browse("GET", "/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.field("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(page.body, StartsWith("<!doctype html>"));
  EXPECT_THAT(page.field("Stateway-Instance"), StartsWith("shop-"));
}

TEST_F(CartTest, ACartSurvivesTheInstanceThatAnswered) {
  start(cart_config({.replay = "re-execute"}));  // while it dies it still takes requests
  add("bread");
  for (int round = 0; round < 3; ++round) {
    const Reply crash = browse("POST", "/api/crash");
    ASSERT_EQ(crash.status, 202) << crash.body;
    EXPECT_THAT(crash.field("Stateway-Instance"), StartsWith("shop-"));
    EXPECT_THAT(cart(), HasSubstr("bread"));
    add(fmt::format("item{}", round));
  }
  EXPECT_THAT(cart(), HasSubstr(R"("version":4)"));
}

TEST_F(CartTest, ACartSurvivesAllInstancesAtOnceAndRequestsWaitForTheFirstToReturn) {
  start(cart_config({.replay = "re-execute"}));
  add("bread");
  for (const lab::InstanceInfo& instance : instances()) kill_instance(instance.pid);
  add("milk");
  EXPECT_THAT(cart(), HasSubstr("bread"));
  EXPECT_THAT(cart(), HasSubstr("milk"));
}

TEST_F(CartTest, ACartSurvivesTheGateway) {
  start(cart_config({.durability = "sync"}));
  add("bread");
  add("milk");
  gateway->kill();
  expect_nothing_left();
  restart();
  EXPECT_THAT(cart(), HasSubstr(R"("version":2)"));
  EXPECT_THAT(cart(), HasSubstr("bread"));
  add("eggs");
  EXPECT_THAT(cart(), HasSubstr("eggs"));
}

TEST_F(CartTest, ACartSurvivesAStopAndAStartOfTheGateway) {
  start(cart_config({.durability = "os"}));
  add("bread");
  stop();
  restart();
  EXPECT_THAT(cart(), HasSubstr("bread"));
}

TEST_F(CartTest, ALargeCartIsFetchedByTheSessionUrl) {
  start(cart_config({}));
  const std::string name(90, 'x');
  for (int i = 0; i < 60; ++i) {
    const Reply reply =
        browse("POST", "/api/cart/items", fmt::format(R"({{"id":"item-{}","name":"{}"}})", i, name));
    ASSERT_EQ(reply.status, 201) << reply.body;
  }
  const std::string all = cart();
  EXPECT_GT(all.size(), 6000u);
  EXPECT_THAT(all, HasSubstr(R"("version":60)"));
  EXPECT_THAT(all, HasSubstr("item-59"));
}

}  // namespace
}  // namespace stateway::scenario
