#include "route/table.h"

#include <gtest/gtest.h>

namespace stateway::route {
namespace {

RouteOptions route(std::string path, std::string service, std::vector<std::string> methods = {},
                   std::optional<std::string> host = {}) {
  RouteOptions r;
  r.path = std::move(path);
  r.service = std::move(service);
  r.methods = std::move(methods);
  r.host = std::move(host);
  return r;
}

TEST(Table, HostBeforeNoneThenLongestPathThenMethod) {
  const Table table({route("/", "root"), route("/api", "read", {"GET"}),
                     route("/api", "write", {"POST", "PUT"}), route("/api/v2", "v2"),
                     route("/", "shop", {}, "shop.example")});
  const struct {
    const char *host, *path, *method, *service;
  } cases[] = {
      {"a", "/", "GET", "root"},
      {"a", "/x", "GET", "root"},
      {"a", "/apix", "GET", "root"},
      {"a", "/api", "GET", "read"},
      {"a", "/api/", "HEAD", "read"},
      {"a", "/api/x", "POST", "write"},
      {"a", "/api/v2", "DELETE", "v2"},
      {"a", "/api/v2x", "PUT", "write"},
      {"shop.example", "/api", "GET", "shop"},
      {"SHOP.example:8080", "/", "GET", "shop"},
      {"", "/", "GET", "root"},
      {"a", "*", "OPTIONS", "root"},
  };
  for (const auto& c : cases) {
    const auto match = table.find(c.host, c.path, c.method);
    ASSERT_NE(match.route, nullptr) << c.host << c.path;
    EXPECT_EQ(match.route->service, c.service) << c.host << c.path;
  }
}

TEST(Table, AKnownPathWithAnotherMethodNamesThoseItTakes) {
  const Table table({route("/", "root"), route("/api", "read", {"GET"}), route("/api", "write", {"POST"})});
  const auto match = table.find("a", "/api/x", "DELETE");
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allow, "GET, HEAD, POST");
}

TEST(Table, AMethodIsNamedOnceHoweverOftenItIsListed) {
  const Table table({route("/", "read", {"GET", "HEAD"}), route("/", "write", {"HEAD", "POST"})});
  EXPECT_EQ(table.find("a", "/", "PUT").allow, "GET, HEAD, POST");
}

TEST(Table, ARouteThatNamesItsMethodsGoesBeforeOneThatTakesAll) {
  const Table table({route("/", "all"), route("/", "post", {"POST"})});
  EXPECT_EQ(table.find("a", "/x", "POST").route->service, "post");
  EXPECT_EQ(table.find("a", "/x", "GET").route->service, "all");
}

TEST(Table, NoRouteAtAll) {
  const Table table({route("/api", "api")});
  const auto match = table.find("a", "/other", "GET");
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allow, "");
}

}  // namespace
}  // namespace stateway::route
