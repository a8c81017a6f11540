// What the gateway changes in a message it passes on, and what it must not.
#include <fmt/format.h>

#include "site.h"

namespace stateway::scenario {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Forwarding : public Site {
 protected:
  void SetUp() override { start(origin_config()); }
  // The head as the service got it, for a request with these fields.
  std::string forwarded(std::string_view more, std::string_view target = "/o/echo-head") {
    const Reply reply = get(target, more);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return "\n" + reply.body;
  }
};

TEST_F(Forwarding, FieldsOfOneConnectionDoNotGoFurther) {
  const std::string head = forwarded(
      "Connection: X-Mine, keep-alive\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\n"
      "Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic eA==\r\nX-Yours: 2\r\n");
  for (const char* gone : {"X-Mine", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization"})
    EXPECT_THAT(head, Not(HasSubstr(gone))) << gone;
  EXPECT_THAT(head, HasSubstr("\nX-Yours: 2\n"));
  const Reply reply = get("/o/hop");
  for (const char* gone : {"X-Hop", "Keep-Alive", "Proxy-Authenticate"})
    EXPECT_FALSE(reply.has(gone)) << gone;
  EXPECT_EQ(reply.field("X-End"), "2");
}

TEST_F(Forwarding, FieldsWeRelyUponCannotBeNamedAway) {
  const std::string head =
      forwarded("Connection: Host, X-Forwarded-For, Authorization, Via\r\nAuthorization: Bearer x\r\n");
  EXPECT_THAT(head, HasSubstr("\nHost: "));
  EXPECT_THAT(head, HasSubstr("\nX-Forwarded-For: 127.0.0.1\n"));
  EXPECT_THAT(head, HasSubstr("\nAuthorization: Bearer x\n"));
  EXPECT_THAT(head, HasSubstr("\nVia: "));
}

TEST_F(Forwarding, TracesOfThisHopAreAdded) {
  const std::string head = forwarded("");
  EXPECT_THAT(head, HasSubstr("\nVia: 1.1 stateway\n"));
  EXPECT_THAT(head, HasSubstr("\nX-Forwarded-For: 127.0.0.1\n"));
  EXPECT_THAT(head, HasSubstr(fmt::format("\nX-Forwarded-Host: {}\n", to_string(gateway->clients()))));
  EXPECT_THAT(head, HasSubstr("\nX-Forwarded-Proto: http\n"));
  EXPECT_THAT(head, HasSubstr("\nForwarded: "));
  EXPECT_THAT(head, HasSubstr("for=127.0.0.1"));
  EXPECT_THAT(head, HasSubstr("\nX-Request-Id: "));
}

TEST_F(Forwarding, WhatAStrangerClaimsAboutHimselfCountsForNothing) {
  const std::string head = forwarded(
      "X-Forwarded-For: 10.1.2.3\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nForwarded: "
      "for=10.1.2.3\r\n"
      "X-Forwarded-Port: 443\r\nX_Forwarded_For: 10.1.2.3\r\n");
  EXPECT_THAT(head, Not(HasSubstr("10.1.2.3")));
  EXPECT_THAT(head, Not(HasSubstr("evil")));
  EXPECT_THAT(head, Not(HasSubstr("443")));
  EXPECT_THAT(head, HasSubstr("\nX-Forwarded-Proto: http\n"));
}

TEST_F(Forwarding, OurOwnFieldsCannotBeForged) {
  const std::string_view forged =
      "Stateway-Session: {\"admin\":true}\r\nstateway_session: {}\r\nStateway_Session-Id: "
      "x\r\nSTATEWAY-Principal: {}\r\n"
      "Stateway-Token: guess\r\nConnection: Stateway-Session\r\n";
  const std::string stateless = forwarded(forged);
  EXPECT_THAT(stateless, Not(HasSubstr("admin")));
  EXPECT_THAT(stateless, Not(HasSubstr("rincipal")));
  EXPECT_THAT(stateless, Not(HasSubstr("Session")));
  EXPECT_THAT(stateless, Not(HasSubstr("session")));
  EXPECT_THAT(stateless, Not(HasSubstr("guess")));
  const std::string with_session = forwarded(forged, "/s/echo-head");
  EXPECT_THAT(with_session, HasSubstr("\nStateway-Session: {}\n"));
  EXPECT_THAT(with_session, HasSubstr("\nStateway-Session-Version: 0\n"));
  EXPECT_THAT(with_session, HasSubstr("\nStateway-Session-Url: http://127.0.0.1:"));
  EXPECT_THAT(with_session, Not(HasSubstr("admin")));
  EXPECT_THAT(with_session, Not(HasSubstr("stateway_")));
  EXPECT_THAT(with_session, Not(HasSubstr("Stateway_")));
}

TEST_F(Forwarding, AGoodRequestIdIsKeptAndABadOneReplaced) {
  EXPECT_THAT(forwarded("X-Request-Id: abc.DEF-1_2\r\n"), HasSubstr("\nX-Request-Id: abc.DEF-1_2\n"));
  EXPECT_THAT(forwarded("X-Request-Id: a b\r\n"), Not(HasSubstr("a b")));
  EXPECT_THAT(forwarded(fmt::format("X-Request-Id: {}\r\n", std::string(129, 'x'))), Not(HasSubstr("xxxx")));
}

TEST_F(Forwarding, ServicesGetTheNormalPath) {
  EXPECT_THAT(forwarded("", "/o/a/../%65cho-head?q=%65"), StartsWith("\nGET /o/echo-head?q=%65 HTTP/1.1\n"));
  EXPECT_THAT(forwarded("", "/o/x%2fy/echo-head"), StartsWith("\nGET /o/x%2Fy/echo-head HTTP/1.1\n"));
  EXPECT_THAT(forwarded("", "http://other.example/o/echo-head"), HasSubstr("\nHost: other.example\n"));
}

TEST_F(Forwarding, OtherFieldsComeThroughAsTheyAre) {
  const std::string head =
      forwarded("x-OdD-CaSe:   some  value\t\r\nAccept: a\r\nAccept: b\r\nX-Bytes: \xc3\xa9\r\n");
  EXPECT_THAT(head, HasSubstr("\nx-OdD-CaSe: some  value\n"));
  EXPECT_THAT(head, HasSubstr("\nAccept: a\nAccept: b\n"));
  EXPECT_THAT(head, HasSubstr("\nX-Bytes: \xc3\xa9\n"));
}

TEST_F(Forwarding, DebugHeadersNameTheInstance) {
  EXPECT_EQ(get("/o/hop").field("Stateway-Instance"), "origin-1");
}

}  // namespace
}  // namespace stateway::scenario
