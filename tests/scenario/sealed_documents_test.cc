// Placement "client": the document is in the cookie. What opens it, what does not, and how much fits.
#include <fmt/format.h>

#include <filesystem>

#include "site.h"

namespace stateway::scenario {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

constexpr const char* kSealedCookie = "s=[A-Za-z0-9_-]+; .*";
constexpr const char* kTicket = "[A-Za-z0-9_-]{16}\\.[A-Za-z0-9_-]{27}";
constexpr const char* kNew = " 0 {}";

// Other kinds at the same service: another name, one that is secure where a proxy says so, one that is not
// kept for long.
constexpr std::string_view kOthers = R"([session.other]
placement = "client"
[session.a_kind_whose_cookie_has_a_name_of_many_octets]
placement = "client"
[session.short]
placement = "client"
idle = "1s"
[[route]]
path = "/other"
service = "origin"
session = "other"
[[route]]
path = "/long"
service = "origin"
session = "a_kind_whose_cookie_has_a_name_of_many_octets"
[[route]]
path = "/short"
service = "origin"
session = "short"
)";

class SealedDocuments : public Site {
 protected:
  void SetUp() override { start(documents_config("client", "", kOthers)); }

  void restart_at_once() {
    gateway->kill();
    restart();
  }
  Reply patch(Browser& browser, std::string_view body, std::string_view query = "") {
    return browse(browser, "POST", fmt::format("/s/patch{}", query), body);
  }
  /// "<id> <version> <document>" of what the cookie opens; keeps no cookie of the answer.
  std::string opened_by(const std::string& cookie, std::string_view route = "/s",
                        std::string_view more = "") {
    const Reply reply = get(fmt::format("{}/session", route), fmt::format("Cookie: {}\r\n{}", cookie, more));
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.body;
  }
  std::string id_of(const Browser& browser) {
    const std::string session = opened_by(browser.cookie);
    return session.substr(0, session.find(' '));
  }
  /// A document without this cookie's session: neither its id nor anything of its own.
  void expect_new(const std::string& cookie, std::string_view why) {
    EXPECT_THAT(opened_by(cookie), EndsWith(kNew)) << why << ": " << cookie;
  }
};

TEST_F(SealedDocuments, LiveInTheirCookieAlone) {
  Browser browser;
  EXPECT_FALSE(browse(browser, "GET", "/s/session").has("Set-Cookie"));
  const Reply begun = patch(browser, R"({"a":1})");
  EXPECT_THAT(begun.field("Set-Cookie"), MatchesRegex(kSealedCookie));
  for (const char* attribute : {"; HttpOnly", "; SameSite=Lax", "; Path=/"})
    EXPECT_THAT(begun.field("Set-Cookie"), HasSubstr(attribute));
  EXPECT_THAT(opened_by(browser.cookie), EndsWith(R"( 1 {"a":1})"));
  EXPECT_FALSE(browse(browser, "GET", "/s/session").has("Set-Cookie")) << "it has the latest already";
  const Reply changed = patch(browser, R"({"b":2})");
  EXPECT_TRUE(changed.has("Set-Cookie"));
  EXPECT_THAT(opened_by(browser.cookie), EndsWith(R"( 2 {"a":1,"b":2})"));
}

TEST_F(SealedDocuments, OutliveTheGatewayAndItsStore) {
  Browser browser;
  patch(browser, R"({"a":1})");
  gateway->kill();
  std::filesystem::remove_all(folder / "state");
  restart();
  EXPECT_THAT(opened_by(browser.cookie), EndsWith(R"( 1 {"a":1})"));
  patch(browser, R"({"b":2})");
  EXPECT_THAT(opened_by(browser.cookie), EndsWith(R"( 2 {"a":1,"b":2})"));
}

TEST_F(SealedDocuments, AnotherOctetAnywhereOpensNothing) {
  Browser browser;
  patch(browser, R"({"a":"secret"})");
  const std::string good = browser.cookie;
  const std::size_t value = good.find('=') + 1;
  for (std::size_t at = value; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = bad[at] == 'A' ? 'B' : 'A';
    expect_new(bad, "changed");
  }
  EXPECT_THAT(opened_by(good), EndsWith(R"( 1 {"a":"secret"})"));
}

TEST_F(SealedDocuments, CutOrLengthenedOnesOpenNothing) {
  Browser browser;
  patch(browser, R"({"a":"secret"})");
  const std::string good = browser.cookie;
  for (std::size_t size = good.find('=') + 1; size < good.size(); ++size)
    expect_new(good.substr(0, size), "cut");
  for (const char* more : {"A", "=", ".", "AAAA", "%41"}) expect_new(good + more, "lengthened");
  expect_new("s=" + std::string(4096, 'A'), "all the same");
}

TEST_F(SealedDocuments, PartsOfTwoSessionsMakeNone) {
  Browser ann, bob;
  patch(ann, R"({"me":"ann"})");
  patch(bob, R"({"me":"bob"})");
  ASSERT_EQ(ann.cookie.size(), bob.cookie.size());
  for (std::size_t at = ann.cookie.find('=') + 2; at < ann.cookie.size(); ++at) {
    // What precedes the nonce is the same in both.
    const std::string mixed = ann.cookie.substr(0, at) + bob.cookie.substr(at);
    if (mixed == ann.cookie || mixed == bob.cookie) continue;
    expect_new(mixed, "mixed");
  }
  EXPECT_THAT(opened_by(bob.cookie), EndsWith(R"({"me":"bob"})"));
}

TEST_F(SealedDocuments, AnUnknownOneIsNeverAdoptedAndSeveralAreTried) {
  Browser browser;
  patch(browser, R"({"a":1})");
  std::string bad = browser.cookie;
  bad[bad.size() / 2] = bad[bad.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_THAT(opened_by(bad + "; " + browser.cookie), EndsWith(R"( 1 {"a":1})"));
  Browser other{.cookie = bad, .instance = {}};
  patch(other, R"({"b":2})");
  EXPECT_THAT(opened_by(other.cookie), EndsWith(R"( 1 {"b":2})"));
  EXPECT_NE(id_of(other), id_of(browser));
  EXPECT_THAT(opened_by(browser.cookie), EndsWith(R"( 1 {"a":1})"));
}

TEST_F(SealedDocuments, AnEndedOneIsOpenedByNoCookieOfIt) {
  Browser browser;
  std::vector<std::string> cookies;
  for (const char* body : {R"({"a":1})", R"({"b":2})", R"({"c":3})"}) {
    patch(browser, body);
    cookies.push_back(browser.cookie);
  }
  const Reply ended = patch(browser, "", "?op=end");
  EXPECT_EQ(ended.status, 200);
  EXPECT_THAT(ended.field("Set-Cookie"), HasSubstr("Max-Age=0"));
  for (const std::string& cookie : cookies) expect_new(cookie, "ended");
  restart_at_once();
  for (const std::string& cookie : cookies) expect_new(cookie, "ended before a restart");
}

TEST_F(SealedDocuments, ALogInLeavesOlderCookiesNothing) {
  Browser browser;
  patch(browser, R"({"a":1})");
  const std::string first = browser.cookie;
  const std::string id = id_of(browser);
  patch(browser, R"({"user":"ann"})", "?op=renew");
  EXPECT_NE(browser.cookie, first);
  expect_new(first, "from before the log-in");
  EXPECT_THAT(opened_by(browser.cookie), StartsWith(id)) << "the id stays";
  EXPECT_THAT(opened_by(browser.cookie), EndsWith(R"({"a":1,"user":"ann"})"));
  const std::string second = browser.cookie;
  patch(browser, R"({"b":2})");
  EXPECT_THAT(opened_by(browser.cookie), EndsWith(R"({"a":1,"user":"ann","b":2})"));
  expect_new(first, "after another change");
  patch(browser, "", "?op=renew");
  for (const std::string& old : {first, second}) expect_new(old, "from before the second log-in");
  restart_at_once();
  for (const std::string& old : {first, second}) expect_new(old, "after a restart");
  EXPECT_THAT(opened_by(browser.cookie), EndsWith(R"({"a":1,"user":"ann","b":2})"));
}

TEST_F(SealedDocuments, AValueMeansNothingUnderAnotherName) {
  Browser browser, other;
  patch(browser, R"({"a":1})");
  browse(other, "POST", "/other/patch", R"({"b":2})");
  EXPECT_THAT(opened_by(other.cookie, "/other"), EndsWith(R"( 1 {"b":2})"));
  EXPECT_THAT(opened_by("other=" + browser.value(), "/other"), EndsWith(kNew));
  expect_new("s=" + other.value(), "of another kind");
  // What was seen on a connection without TLS means nothing on one with it, nor the other way round.
  stop();
  std::string trusting = documents_config("client", "", kOthers);
  trusting.insert(trusting.find("key_file"), "trusted_proxies = [\"127.0.0.1\"]\n");
  start(trusting);
  constexpr std::string_view kTls = "X-Forwarded-Proto: https\r\n";
  EXPECT_THAT(opened_by(browser.cookie), EndsWith(R"( 1 {"a":1})"));
  EXPECT_THAT(opened_by(browser.cookie, "/s", kTls), EndsWith(kNew));
  EXPECT_THAT(opened_by("__Host-" + browser.cookie, "/s", kTls), EndsWith(kNew));
  Browser secure;
  secure.take(ask("POST", "/s/patch", kTls, R"({"c":3})"));
  EXPECT_THAT(secure.cookie, StartsWith("__Host-s="));
  EXPECT_THAT(opened_by(secure.cookie, "/s", kTls), EndsWith(R"( 1 {"c":3})"));
  expect_new(secure.cookie, "without TLS");
  expect_new("s=" + secure.value(), "without TLS and prefix");
}

TEST_F(SealedDocuments, OneThatWasIdleForTooLongOpensNothing) {
  Browser browser, kept;
  patch(kept, R"({"a":1})");
  const Reply begun = browse(browser, "POST", "/short/patch", R"({"b":2})");
  EXPECT_EQ(begun.status, 200);
  ASSERT_TRUE(begun.has("Set-Cookie"));
  // Always the same cookie: what slides is in a newer one.
  eventually([&] { return testing::Value(opened_by(browser.cookie, "/short"), EndsWith(kNew)); });
  EXPECT_THAT(opened_by(kept.cookie), EndsWith(R"( 1 {"a":1})"));
}

TEST_F(SealedDocuments, OneInUseIsSealedAgainBeforeItExpires) {
  Browser browser;
  browse(browser, "POST", "/short/patch", R"({"b":2})");
  const std::string first = browser.cookie;
  // It slides once a quarter of `idle` has passed.
  eventually([&] {
    EXPECT_THAT(browse(browser, "GET", "/short/session").body, EndsWith(R"( 1 {"b":2})"));
    return browser.cookie != first;
  });
  EXPECT_THAT(opened_by(browser.cookie, "/short"), EndsWith(R"( 1 {"b":2})"));
}

/// What outgrows a cookie goes to the store, and comes back when it is clearly smaller.
class Growth : public SealedDocuments {
 protected:
  static constexpr std::size_t kBudget = 4096;  // octets of name and value

  static bool sealed(const Browser& browser) { return browser.value().find('.') == std::string::npos; }
  static std::string document_of(std::size_t octets) {
    return fmt::format(R"({{"t":"{}"}})", std::string(octets - 8, 'x'));
  }
  void make(Browser& browser, std::size_t octets) {
    const Reply reply = browse(browser, "POST", route_ + "/patch", document_of(octets));
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(browse(browser, "GET", route_ + "/session-url").body, "200 " + document_of(octets)) << octets;
  }
  /// Octets around the document before they are written as base64url, measured.
  std::size_t measure() {
    std::vector<std::size_t> sizes;
    for (std::size_t octets = 100; octets < 103; ++octets) {
      Browser browser;
      make(browser, octets);
      sizes.push_back(browser.value().size());
    }
    for (std::size_t around = 0; around < 1000; ++around) {
      const auto fits = [&](std::size_t i) { return value_size(around, 100 + i) == sizes[i]; };
      if (fits(0) && fits(1) && fits(2)) return around;
    }
    ADD_FAILURE() << "no sealed documents";
    return 0;
  }
  static std::size_t value_size(std::size_t around, std::size_t octets) {
    return ((around + octets) * 4 + 2) / 3;
  }
  /// The longest document whose cookie has at most so many octets.
  static std::size_t longest(std::string_view name, std::size_t around, std::size_t most) {
    std::size_t octets = 8;
    while (name.size() + value_size(around, octets + 1) <= most) ++octets;
    return octets;
  }

  void expect_budget(const std::string& route, std::string_view name) {
    route_ = route;
    const std::size_t around = measure();
    const std::size_t fits = longest(name, around, kBudget);
    const std::size_t comes_back = longest(name, around, kBudget / 4 * 3);

    Browser grown;
    make(grown, fits);
    EXPECT_TRUE(sealed(grown));
    EXPECT_LE(name.size() + grown.value().size(), kBudget);
    EXPECT_GE(name.size() + grown.value().size(), kBudget - 1);
    make(grown, fits + 1);
    EXPECT_FALSE(sealed(grown)) << "one octet too long";
    make(grown, fits);
    EXPECT_FALSE(sealed(grown)) << "it would go back and forth";
    make(grown, comes_back + 1);
    EXPECT_FALSE(sealed(grown)) << "one octet above three quarters";
    make(grown, comes_back);
    EXPECT_TRUE(sealed(grown));
    make(grown, fits);
    EXPECT_TRUE(sealed(grown)) << "up to the budget again";
    make(grown, 60'000);
    EXPECT_FALSE(sealed(grown));

    Browser begun;
    make(begun, fits + 1);
    EXPECT_FALSE(sealed(begun)) << "begun too long for a cookie";
    EXPECT_THAT(begun.value(), MatchesRegex(kTicket));
  }

  std::string route_;
};

TEST_F(Growth, TheBudgetIsExact) { expect_budget("/s", "s"); }
TEST_F(Growth, TheBudgetCountsTheNamesOctets) {
  expect_budget("/long", "a_kind_whose_cookie_has_a_name_of_many_octets");
}

TEST_F(Growth, TheSessionStaysTheSameOnItsWay) {
  route_ = "/s";
  Browser browser;
  make(browser, 100);
  const std::string small = browser.cookie;
  const std::string id = id_of(browser);
  make(browser, 5000);
  const std::string large = browser.cookie;
  EXPECT_THAT(opened_by(large), StartsWith(id + " 2 "));
  EXPECT_THAT(opened_by(small), StartsWith(id + " 2 ")) << "an older cookie yields to the record";
  make(browser, 100);
  EXPECT_TRUE(sealed(browser));
  EXPECT_THAT(opened_by(browser.cookie), StartsWith(id + " 3 "));
  EXPECT_THAT(opened_by(large), StartsWith(id + " 3 ")) << "the answer with the cookie may have been lost";
  restart_at_once();
  EXPECT_THAT(opened_by(browser.cookie), EndsWith(" 3 " + document_of(100)));
  EXPECT_THAT(opened_by(large), EndsWith(" 3 " + document_of(100)));
  EXPECT_THAT(opened_by(small), EndsWith(" 3 " + document_of(100))) << "the record has seen a newer one";
}

}  // namespace
}  // namespace stateway::scenario
