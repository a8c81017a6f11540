// The session protocol, from both of its ends, wherever the document lives.
#include <fmt/format.h>

#include "site.h"

namespace stateway::scenario {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

class Session : public Site, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    start(documents_config(GetParam(), "document_max = \"64KiB\"",
                           "[[route]]\npath = \"/o\"\nservice = \"origin\"\n"));
  }

  Reply browse(std::string_view method, std::string_view target, std::string_view body = "") {
    Reply reply = ask(method, target, cookie_.empty() ? "" : fmt::format("Cookie: {}\r\n", cookie_), body);
    if (reply.has("Set-Cookie")) {
      const std::string set = reply.field("Set-Cookie");
      cookie_ = set.substr(0, set.find(';'));
    }
    return reply;
  }
  Reply patch(std::string_view body, std::string_view query = "") {
    return browse("POST", fmt::format("/s/patch{}", query), body);
  }
  // "<id> <version> <document>" as the service is given it.
  std::string session() { return browse("GET", "/s/session").body; }

  std::string cookie_;
};

TEST_P(Session, BeginsWithItsFirstPatch) {
  EXPECT_FALSE(browse("GET", "/s/session").has("Set-Cookie"));
  const Reply reply = patch(R"({"a":1})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_FALSE(reply.has("Stateway-Session-Patch"));
  EXPECT_EQ(reply.field("Stateway-Version"), "1");
  EXPECT_THAT(reply.field("Set-Cookie"), MatchesRegex(std::string_view(GetParam()) == "client"
                                                          ? "s=[A-Za-z0-9_-]{170}; .*"
                                                          : "s=[A-Za-z0-9_-]{16}\\.[A-Za-z0-9_-]{27}; .*"));
  EXPECT_THAT(reply.field("Set-Cookie"), HasSubstr("; HttpOnly"));
  EXPECT_THAT(reply.field("Set-Cookie"), HasSubstr("; SameSite=Lax"));
  EXPECT_THAT(reply.field("Set-Cookie"), HasSubstr("; Path=/"));
  EXPECT_THAT(reply.field("Set-Cookie"), Not(HasSubstr("Secure")));
  EXPECT_THAT(session(), EndsWith(R"( 1 {"a":1})"));
}

TEST_P(Session, TheServiceNeverSeesTheCookieButOthers) {
  patch(R"({"a":1})");
  const Reply reply = ask("GET", "/s/echo-head", fmt::format("Cookie: theme=dark; {}; x=y\r\n", cookie_));
  EXPECT_THAT(reply.body, HasSubstr("\nCookie: theme=dark; x=y\n"));
  EXPECT_THAT(reply.body, Not(HasSubstr(cookie_)));
}

TEST_P(Session, MergePatchesAndJsonPatchesApplyInOrder) {
  patch(R"({"a":{"b":1,"c":2}})");
  patch(R"({"a":{"b":null,"d":[1]}})");
  patch(R"([{"op":"test","path":"/a/c","value":2},{"op":"add","path":"/a/d/-","value":"é"}])");
  EXPECT_THAT(session(), EndsWith(R"( 3 {"a":{"c":2,"d":[1,"\u00e9"]}})"));
}

TEST_P(Session, APatchThatDoesNotApplyCommitsNothingAndIsTheServicesFault) {
  patch(R"({"a":1})");
  for (const char* bad : {"nonsense", R"({"a":)", R"({"a":1,"a":2})", R"({"a":1e999})", "7",
                          R"([{"op":"remove","path":"/missing"}])"}) {
    const Reply reply = patch(bad);
    EXPECT_EQ(reply.status, 502) << bad;
    EXPECT_EQ(reply.problem(), "bad-patch") << bad;
  }
  const Reply failed = patch(R"([{"op":"test","path":"/a","value":2}])");
  EXPECT_EQ(failed.status, 409);
  EXPECT_EQ(failed.problem(), "patch-test-failed");
  EXPECT_THAT(session(), EndsWith(R"( 1 {"a":1})"));
}

TEST_P(Session, APatchCountsWhateverTheStatus) {
  EXPECT_EQ(patch(R"({"a":1})", "?code=404").status, 404);
  EXPECT_EQ(patch(R"({"b":2})", "?code=304").status, 304);
  EXPECT_THAT(session(), EndsWith(R"( 2 {"a":1,"b":2})"));
}

TEST_P(Session, AnUnknownOrMalformedCookieIsNotAdopted) {
  for (const char* cookie :
       {"s=AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAA", "s=x", "s=", "s=AAAAAAAAAAAAAAAA."}) {
    cookie_ = cookie;
    EXPECT_THAT(session(), EndsWith(" 0 {}")) << cookie;
    patch(R"({"a":1})");
    EXPECT_NE(cookie_, cookie);
    EXPECT_THAT(session(), EndsWith(R"( 1 {"a":1})"));
  }
}

TEST_P(Session, TheSecretIsCheckedNotOnlyTheId) {
  patch(R"({"a":1})");
  cookie_.back() = cookie_.back() == 'A' ? 'E' : 'A';
  EXPECT_THAT(session(), EndsWith(" 0 {}"));
}

TEST_P(Session, RenewChangesTheSecretAndKeepsTheSession) {
  patch(R"({"a":1})");
  const std::string before = session();
  const std::string old = cookie_;
  patch(R"({"b":2})", "?op=renew");
  EXPECT_NE(cookie_, old);
  EXPECT_EQ(session().substr(0, session().find(' ')), before.substr(0, before.find(' '))) << "the id stays";
  EXPECT_THAT(session(), EndsWith(R"({"a":1,"b":2})"));
  cookie_ = old;
  EXPECT_THAT(session(), EndsWith(" 0 {}")) << "the old secret opens nothing";
}

TEST_P(Session, EndDestroysIt) {
  patch(R"({"a":1})");
  const std::string old = cookie_;
  const Reply ended = patch("", "?op=end");
  EXPECT_EQ(ended.status, 200);
  EXPECT_THAT(ended.field("Set-Cookie"), HasSubstr("Max-Age=0"));
  cookie_ = old;
  EXPECT_THAT(session(), EndsWith(" 0 {}"));
}

TEST_P(Session, TheSessionUrlReadsAndPatches) {
  patch(R"({"a":1})");
  EXPECT_EQ(browse("GET", "/s/session-url").body, R"(200 {"a":1})");
  EXPECT_THAT(browse("POST", "/s/session-url", R"({"b":2})").body, StartsWith("20"));
  EXPECT_THAT(session(), EndsWith(R"( 2 {"a":1,"b":2})"));
  EXPECT_THAT(browse("POST", "/s/session-url", R"([{"op":"add","path":"/c","value":3}])").body,
              StartsWith("20"));
  EXPECT_THAT(session(), EndsWith(R"( 3 {"a":1,"b":2,"c":3})"));
}

TEST_P(Session, ALargeDocumentComesByTheUrlAlone) {
  const std::string large = fmt::format(R"({{"text":"{}"}})", std::string(6000, 'x'));
  EXPECT_THAT(browse("POST", "/s/session-url", large).body, StartsWith("20"));
  EXPECT_THAT(session(), EndsWith(" 1 -"));
  EXPECT_EQ(browse("GET", "/s/session-url").body, "200 " + large);
}

TEST_P(Session, APatchByTheUrlCountsWhateverTheStatus) {
  patch(R"({"a":1})");
  const Reply reply = browse("GET", "/s/session-url?code=503", R"({"b":2})");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.field("Stateway-Version"), "2")
      << "the patch was taken: the answer must not be tried again";
  EXPECT_THAT(session(), EndsWith(R"( 2 {"a":1,"b":2})"));
}

TEST_P(Session, PatchesOf60KiBFitIntoTheHeadOfAnAnswer) {
  const std::string document = fmt::format(R"({{"a":"{}"}})", std::string(60'000, 'x'));
  EXPECT_EQ(patch(document).status, 200);
  EXPECT_EQ(browse("GET", "/s/session-url").body, "200 " + document);
}

TEST_P(Session, ADocumentGrowsToItsLimitAndIsUnharmedBeyond) {
  // {"a":"…"} of so many octets
  const auto document = [](std::size_t octets) {
    return fmt::format(R"({{"a":"{}"}})", std::string(octets - std::string_view(R"({"a":""})").size(), 'x'));
  };
  constexpr std::size_t kMost = 64 * 1024;
  EXPECT_THAT(browse("POST", "/s/session-url", document(kMost)).body, StartsWith("204"));
  EXPECT_EQ(browse("GET", "/s/session-url").body, "200 " + document(kMost));
  EXPECT_THAT(browse("POST", "/s/session-url", document(kMost + 1)).body, StartsWith("413"));
  const Reply grown = browse("POST", "/s/session-url", R"({"b":1})");
  EXPECT_EQ(grown.status, 502);
  EXPECT_EQ(grown.problem(), "document-too-large");
  EXPECT_EQ(patch(R"({"b":1})").problem(), "document-too-large");
  EXPECT_EQ(browse("GET", "/s/session-url").body, "200 " + document(kMost));
  EXPECT_EQ(patch(R"({"a":null,"b":1})").status, 200);
  EXPECT_THAT(session(), EndsWith(R"( {"b":1})"));
}

TEST_P(Session, TheSessionUrlsAddressTakesNothingElse) {
  const std::string url = ask("GET", "/s/echo-head").body;
  const std::size_t at =
      url.find("Stateway-Session-Url: http://") + std::string_view("Stateway-Session-Url: http://").size();
  const Address address = *parse_address(url.substr(at, url.find('/', at) - at));
  for (const char* request :
       {"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /0/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /99999999999999999999/x HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /0/AAAAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\nHost: a\r\n\r\n"}) {
    Raw raw(address);
    raw.send(request);
    EXPECT_THAT(raw.reply().status, testing::AnyOf(404, 405)) << request;
  }
  EXPECT_EQ(browse("GET", "/s/session").status, 200);
}

TEST_P(Session, TheServiceCannotSetItsCookie) {
  const Reply reply = ask("POST", "/s/set-cookie", "", "s=stolen; Path=/");
  EXPECT_EQ(reply.status, 200);
  EXPECT_FALSE(reply.has("Set-Cookie"));
  EXPECT_EQ(ask("POST", "/s/set-cookie", "", "theme=dark").field("Set-Cookie"), "theme=dark");
}

TEST_P(Session, StatelessRoutesKnowNothingOfIt) {
  patch(R"({"a":1})");
  EXPECT_EQ(browse("GET", "/o/session").body, "- - -");
  const Reply reply = browse("POST", "/o/patch", R"({"b":2})");
  EXPECT_FALSE(reply.has("Stateway-Session-Patch"));
  EXPECT_THAT(session(), EndsWith(R"( 1 {"a":1})"));
}

TEST_P(Session, OutlivesTheGateway) {
  patch(R"({"a":1})");
  gateway->kill();
  restart();
  EXPECT_THAT(session(), EndsWith(R"( 1 {"a":1})"));
}

INSTANTIATE_TEST_SUITE_P(Placements, Session, testing::Values("client", "store", "hybrid"),
                         [](const auto& of) { return std::string(of.param); });

}  // namespace
}  // namespace stateway::scenario
