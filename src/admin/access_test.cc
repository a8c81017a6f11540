#include "admin/access.h"

#include <gtest/gtest.h>

#include "http/h1_parser.h"
#include "http/problem.h"

namespace stateway::admin {
namespace {

/// The status `request` (lines without their ends; "METHOD target" first) is refused with; 0: it is let in.
int refused_with(const AccessRules& rules, const std::vector<std::string>& request) {
  std::string text;
  for (const std::string& line : request) text += line + (text.empty() ? " HTTP/1.1\r\n" : "\r\n");
  text += "\r\n";
  http::RequestHead head;
  EXPECT_TRUE(http::parse_request_head(text, {}, head)) << text;
  const auto target = http::parse_target(head.method, head.target);
  EXPECT_TRUE(target) << text;
  const auto response = refuse(rules, head, *target);
  if (response) EXPECT_EQ(response->fields.at(0).second, http::kProblemContentType);
  return response ? response->status : 0;
}

AccessRules at(std::string_view address, std::optional<Secret> token = {}) {
  return {parse_address(address).value(), std::move(token)};
}

TEST(Access, HostMustBeTheListenersOwn) {
  const struct {
    const char *own, *host;
    bool own_host;
  } cases[] = {
      {"127.0.0.1:8090", "127.0.0.1:8090", true},
      {"127.0.0.1:8090", "localhost:8090", true},
      {"127.0.0.1:8090", "LocalHost:8090", true},
      {"127.0.0.1:8090", "[::1]:8090", true},
      {"127.0.0.1:8090", "[0:0::0:1]:8090", true},
      {"127.0.0.1:8090", "evil.example:8090", false},  // DNS rebinding
      {"127.0.0.1:8090", "evil.localhost:8090", false},
      {"127.0.0.1:8090", "127.0.0.1:80901", false},
      {"127.0.0.1:8090", "127.0.0.1:8091", false},
      {"127.0.0.1:8090", "127.0.0.1", false},
      {"127.0.0.1:8090", "127.0.0.2:8090", false},
      {"127.0.0.1:8090", "192.0.2.7:8090", false},
      {"127.0.0.1:8090", "localhost.:8090", false},
      {"127.0.0.1:8090", "2130706433:8090", false},
      {"127.0.0.1:8090", "unix:8090", false},
      {"127.0.0.2:8090", "127.0.0.2:8090", true},
      {"127.0.0.2:8090", "localhost:8090", true},
      {"[::1]:8090", "[::1]:8090", true},
      {"[::1]:8090", "127.0.0.1:8090", true},
      {"localhost:8090", "localhost:8090", true},
      {"localhost:8090", "127.0.0.1:8090", true},
      {"127.0.0.1:80", "127.0.0.1", true},
      {"127.0.0.1:80", "127.0.0.1:", true},
      {"192.0.2.7:8090", "192.0.2.7:8090", true},
      {"192.0.2.7:8090", "localhost:8090", false},
      {"192.0.2.7:8090", "127.0.0.1:8090", false},
      {"192.0.2.7:8090", "admin.example:8090", false},
      {"admin.example:8090", "admin.example:8090", true},
      {"admin.example:8090", "ADMIN.example:8090", true},
      {"admin.example:8090", "evil.example:8090", false},
      {"0.0.0.0:8090", "192.0.2.7:8090", true},
      {"0.0.0.0:8090", "[2001:db8::1]:8090", true},
      {"0.0.0.0:8090", "localhost:8090", true},
      {"0.0.0.0:8090", "192.0.2.7:8091", false},
      {"0.0.0.0:8090", "evil.example:8090", false},
      {"0.0.0.0:8090", "unix:8090", false},
      {"[::]:8090", "192.0.2.7:8090", true},
      {"[::]:8090", "evil.example:8090", false},
      {"unix:/run/admin.sock", "localhost", true},
      {"unix:/run/admin.sock", "anything:1", true},
  };
  for (const auto& c : cases) {
    const int expected = c.own_host ? 0 : 403;
    EXPECT_EQ(refused_with(at(c.own), {"GET /v1/status", std::string("Host: ") + c.host}), expected)
        << c.own << " called " << c.host;
    EXPECT_EQ(refused_with(at(c.own), {"GET /healthz", std::string("Host: ") + c.host}), expected)
        << c.own << " called " << c.host;
  }
}

TEST(Access, TheTargetsAuthorityBeatsHost) {
  const AccessRules rules = at("127.0.0.1:8090");
  EXPECT_EQ(refused_with(rules, {"GET http://127.0.0.1:8090/v1/status", "Host: evil.example"}), 0);
  EXPECT_EQ(refused_with(rules, {"GET http://evil.example/v1/status", "Host: 127.0.0.1:8090"}), 403);
  EXPECT_EQ(refused_with(rules, {"GET /v1/status", "Host: 127.0.0.1:8090", "Host: evil.example"}), 403);
}

TEST(Access, UnsafeMethodsAreForJsonOfThisSite) {
  const AccessRules tcp = at("127.0.0.1:8090");
  const std::string json = "Content-Type: application/json";
  const struct {
    const char* method;
    std::vector<std::string> fields;
    int status;
  } cases[] = {
      {"DELETE", {json}, 0},
      {"POST", {"Content-Type: Application/JSON ; charset=utf-8"}, 0},
      {"POST", {json, "Sec-Fetch-Site: same-origin", "Origin: http://127.0.0.1:8090"}, 0},
      {"POST", {json, "Sec-Fetch-Site: none"}, 0},
      // what a form can send, and what a script may send without asking first
      {"POST", {}, 415},
      {"DELETE", {}, 415},
      {"POST", {"Content-Type: application/x-www-form-urlencoded"}, 415},
      {"POST", {"Content-Type: text/plain"}, 415},
      {"POST", {"Content-Type: text/plain; application/json"}, 415},
      {"POST", {"Content-Type: application/jsonp"}, 415},
      {"POST", {json, "Content-Type: text/plain"}, 415},
      {"BREW", {}, 415},
      // other sites
      {"POST", {json, "Sec-Fetch-Site: cross-site"}, 403},
      {"POST", {json, "Sec-Fetch-Site: same-site"}, 403},  // another port of this host
      {"POST", {json, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"}, 403},
      {"POST", {json, "Origin: http://evil.example"}, 403},
      {"POST", {json, "Origin: null"}, 403},
      {"POST", {json, "Origin: http://127.0.0.1:3000"}, 403},
      {"POST", {json, "Origin: http://127.0.0.1"}, 403},
      {"POST", {json, "Origin: https://127.0.0.1:8090"}, 403},
      {"POST", {json, "Origin: http://localhost:8090"}, 403},  // own, but not that of this request
      {"POST", {json, "Origin: http://127.0.0.1:8090", "Origin: http://evil.example"}, 403},
      // nothing to change: a browser keeps the answer from the page that asked
      {"GET", {"Sec-Fetch-Site: cross-site", "Origin: http://evil.example"}, 0},
      {"HEAD", {"Sec-Fetch-Site: cross-site"}, 0},
  };
  for (const auto& c : cases) {
    std::vector<std::string> request = {std::string(c.method) + " /v1/sessions/x", "Host: 127.0.0.1:8090"};
    request.insert(request.end(), c.fields.begin(), c.fields.end());
    EXPECT_EQ(refused_with(tcp, request), c.status) << testing::PrintToString(request);
  }
}

TEST(Access, AUnixSocketKeepsTheRulesForUnsafeMethods) {
  const AccessRules rules = at("unix:/run/admin.sock");
  const std::string json = "Content-Type: application/json";
  EXPECT_EQ(refused_with(rules, {"POST /", "Host: admin", json}), 0);
  EXPECT_EQ(refused_with(rules, {"POST /", "Host: admin"}), 415);
  EXPECT_EQ(refused_with(rules, {"POST /", "Host: admin", json, "Origin: http://admin"}), 0);
  EXPECT_EQ(refused_with(rules, {"POST /", "Host: admin", json, "Origin: http://evil.example"}), 403);
}

TEST(Access, TheTokenOpensEverythingButTheProbes) {
  const AccessRules rules = at("0.0.0.0:8090", Secret("abc123"));
  const std::string host = "Host: 192.0.2.7:8090";
  const struct {
    const char* target;
    std::vector<std::string> fields;
    int status;
  } cases[] = {
      {"/v1/status", {"Authorization: Bearer abc123"}, 0},
      {"/v1/status", {"Authorization: bearer abc123"}, 0},
      {"/v1/status", {}, 401},
      {"/v1/status", {"Authorization: Bearer abc124"}, 401},
      {"/v1/status", {"Authorization: Bearer abc12"}, 401},
      {"/v1/status", {"Authorization: Bearer abc1234"}, 401},
      {"/v1/status", {"Authorization: Bearer"}, 401},
      {"/v1/status", {"Authorization: abc123"}, 401},
      {"/v1/status", {"Authorization: Basic abc123"}, 401},
      {"/v1/status", {"Authorization: Bearer abc123", "Authorization: Bearer abc123"}, 401},
      {"/v1/status?access_token=abc123", {}, 401},
      {"/healthz", {}, 0},
      {"/readyz", {}, 0},
      {"/readyz/", {}, 401},
      {"/healthz/../v1/status", {}, 401},
  };
  for (const auto& c : cases) {
    std::vector<std::string> request = {std::string("GET ") + c.target, host};
    request.insert(request.end(), c.fields.begin(), c.fields.end());
    EXPECT_EQ(refused_with(rules, request), c.status) << testing::PrintToString(request);
  }
}

TEST(Access, ARefusedTokenIsAskedForAgain) {
  const AccessRules rules = at("unix:a", Secret("abc123"));
  http::RequestHead head;
  head.method = http::Method::get;
  head.fields.add("Host", "a");
  const auto target = http::parse_target(head.method, "/v1/status").value();
  auto refused = refuse(rules, head, target);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->fields.at(1),
            std::pair(std::string("WWW-Authenticate"), std::string("Bearer realm=\"stateway\"")));
  head.fields.add("Authorization", "Bearer nope");
  refused = refuse(rules, head, target);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->fields.at(1).second, "Bearer realm=\"stateway\", error=\"invalid_token\"");
  EXPECT_EQ(refused->body.find("abc123"), std::string::npos);
}

}  // namespace
}  // namespace stateway::admin
