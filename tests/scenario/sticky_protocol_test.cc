// Placement "instance", from both ends of the protocol.
#include <sys/stat.h>

#include <fstream>

#include "sticky.h"

namespace stateway::scenario {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

/// What the protocol gives a service whose sessions live in its memory.
class StickyProtocol : public StickySite {
 protected:
  void SetUp() override { start(config_of("instance")); }
  static std::string config_of(std::string_view placement) {
    return origin_config(fmt::format(R"([session.a]
placement = "{0}"
[session.b]
placement = "{0}"
[[route]]
path = "/a"
service = "origin"
session = "a"
[[route]]
path = "/b"
service = "origin"
session = "b"
)",
                                     placement));
  }
  std::string id(Browser& browser, std::string_view route = "/a") {
    const std::string text = browse(browser, "GET", fmt::format("{}/session", route)).body;
    EXPECT_THAT(text, EndsWith(" - -")) << "no version and no document";
    return text.substr(0, text.find(' '));
  }
};

TEST_F(StickyProtocol, TheServiceGetsTheIdAlone) {
  const std::string head =
      ask("GET", "/a/echo-head",
          "Stateway-Session-Version: 7\r\nStateway-Session: {}\r\nStateway-Session-Id: x\r\n")
          .body;
  EXPECT_THAT(head, testing::ContainsRegex("\nStateway-Session-Id: [A-Za-z0-9_-]{16}\n"));
  for (const char* absent :
       {"Stateway-Session:", "Stateway-Session-Version", "Stateway-Session-Url", "Cookie"})
    EXPECT_THAT(head, Not(HasSubstr(absent)));
}

TEST_F(StickyProtocol, ASessionBeginsWithItsFirstAnswerWhateverThatSays) {
  Browser browser;
  EXPECT_TRUE(browse(browser, "GET", "/a/nothing-here").has("Set-Cookie"));
  const std::string first = id(browser);
  EXPECT_EQ(id(browser), first);
  EXPECT_THAT(browser.cookie, MatchesRegex("a=[A-Za-z0-9_-]{159}"));
  struct stat about{};
  ASSERT_EQ(stat((folder / "keys").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  Browser none;
  EXPECT_EQ(browse(none, "GET", "/a/session").field("Stateway-Placement"), "instance");
}

TEST_F(StickyProtocol, APatchIsRefusedBecauseNothingWouldKeepIt) {
  Browser browser;
  const Reply reply = browse(browser, "POST", "/a/patch", R"({"a":1})");
  EXPECT_EQ(reply.status, 502);
  EXPECT_EQ(reply.problem(), "bad-patch");
  EXPECT_EQ(browser.cookie, "");
  eventually([&] { return gateway->log().find("there is no document to patch") != std::string::npos; });
}

// What it did is in a memory that nobody reads any more: its client must not think that it counts.
TEST_F(StickyProtocol, WhatBecomesOfAnExchangeWhoseSessionHasLeftIsUnknown) {
  for (const bool leaves : {false, true}) {
    write_config(config_of("instance"));
    reload();
    Browser browser;
    browse(browser, "GET", "/a/session");
    const std::string before = get("/o/count").body;
    Raw held = connect();
    held.send(fmt::format("POST /a/patch?hold=1 HTTP/1.1\r\nHost: {}\r\n{}Content-Length: 0\r\n\r\n",
                          to_string(gateway->clients()), browser.header()));
    eventually([&] { return get("/o/count").body != before; });
    reload_with(config_of("store"));
    if (leaves) EXPECT_EQ(browse(browser, "POST", "/a/patch", R"({"from":"memory"})").status, 200);
    ask("POST", "/o/let-go");
    const Reply reply = held.reply();
    EXPECT_EQ(reply.status, leaves ? 502 : 200);
    if (leaves) EXPECT_EQ(reply.problem(), "outcome-unknown");
    if (leaves) EXPECT_THAT(browse(browser, "GET", "/a/session").body, EndsWith(R"( 1 {"from":"memory"})"));
  }
}

TEST_F(StickyProtocol, KindsAreSeparateAndForgedCookiesOpenNothing) {
  Browser browser;
  const std::string a = id(browser);
  const std::string value = browser.cookie.substr(2);
  Browser crossed{.cookie = "b=" + value, .instance = ""};
  EXPECT_NE(id(crossed, "/b"), a);
  EXPECT_THAT(crossed.cookie, StartsWith("b="));
  Browser shop{.cookie = "s=" + value, .instance = ""};
  EXPECT_THAT(browse(shop, "GET", "/s/session").body, EndsWith(" 0 {}")) << "nor where the store has them";
  std::string changed = value;
  changed[80] = changed[80] == 'A' ? 'B' : 'A';
  for (const std::string& forged :
       {changed, value.substr(0, value.size() - 1), value + "A", std::string(148, 'A'), std::string("x"),
        std::string("AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAA"), std::string(3000, 'A')}) {
    Browser forger{.cookie = "a=" + forged, .instance = ""};
    EXPECT_NE(id(forger), a) << forged;
    EXPECT_NE(forger.cookie, "a=" + forged);
  }
  Browser both{.cookie = "a=" + changed + "; a=" + value, .instance = ""};
  EXPECT_EQ(id(both), a) << "of several cookies the one that opens counts";
}

TEST_F(StickyProtocol, RenewKeepsTheIdAndTheOldCookieOpensNothing) {
  Browser browser;
  const std::string first = id(browser);
  const Browser old = browser;
  EXPECT_EQ(browse(browser, "POST", "/a/patch?op=renew").status, 200);
  EXPECT_NE(browser.cookie, old.cookie);
  EXPECT_EQ(id(browser), first);
  Browser thief = old;
  EXPECT_NE(id(thief), first);
  EXPECT_THAT(ask_admin("/v1/sessions").body, HasSubstr(first)) << "from then on it is known by name …";
  EXPECT_EQ(command("DELETE", "/v1/sessions/" + first).status, 204);
  EXPECT_NE(id(browser), first) << "… and can be ended";
}

TEST_F(StickyProtocol, EndEndsItForEveryCopyOfTheCookie) {
  Browser browser;
  const std::string first = id(browser);
  const Browser copy = browser;
  const Reply ended = browse(browser, "POST", "/a/patch?op=end");
  EXPECT_THAT(ended.field("Set-Cookie"), HasSubstr("Max-Age=0"));
  Browser again = copy;
  EXPECT_NE(id(again), first);
}

TEST_F(StickyProtocol, SurvivesTheGatewaysRestartAsALogInDoes) {
  Browser browser;
  const std::string first = id(browser);
  browse(browser, "POST", "/a/patch?op=renew");
  gateway->kill();
  restart();
  EXPECT_NE(id(browser), first) << "its instance was a process of the gateway's";
}

TEST(StickyStart, ABrokenKeyFileIsSaidInOneSentence) {
  Folder folder;
  std::ofstream(folder / "keys") << "not keys\n";
  chmod((folder / "keys").c_str(), 0600);
  std::ofstream(folder / "c.toml") << fmt::format(
      "[gateway]\nkey_file = \"{0}/keys\"\n[admin]\naddress = \"127.0.0.1:0\"\n[[listen]]\naddress = "
      "\"127.0.0.1:0\"\n[store]\nkind = \"memory\"\n[session.s]\nplacement = \"instance\"\n[service.x]\n"
      "instances = [\"127.0.0.1:1\"]\n[[route]]\npath = \"/\"\nservice = \"x\"\nsession = \"s\"\n",
      folder.path());
  const Ended ended = run_stateway(folder, {"run", "-c", folder / "c.toml"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.output,
              HasSubstr(fmt::format("stateway: the key file {}/keys is damaged", folder.path())));
}

}  // namespace
}  // namespace stateway::scenario
