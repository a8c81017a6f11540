// `stateway session` and `stateway key` beside a running gateway, and without one.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "lab/program.h"
#include "sticky.h"

namespace stateway::scenario {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

class Commands : public StickySite {
 protected:
  void begin() {
    start(origin_config(R"([[route]]
path = "/t"
service = "origin"
session = "t"
[session.t]
)"));
  }
  std::string admin() const { return to_string(gateway->admin()); }
  Ended run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--admin", admin()});
    return run_stateway(folder, std::move(arguments));
  }
  /// A session with that document; its public id.
  std::string begin_session(std::string_view document, std::string_view path = "/s") {
    Browser browser;
    EXPECT_EQ(browse(browser, "POST", fmt::format("{}/patch", path), document).status, 200);
    const std::size_t value = browser.cookie.find('=') + 1;
    return browser.cookie.substr(value, 16);
  }
};

TEST_F(Commands, SessionsAreListedByAllTheirPagesAndCounted) {
  begin();
  std::set<std::string> ids;
  for (int n = 0; n < 5; ++n) ids.insert(begin_session(R"({"a":1})"));
  const std::string other = begin_session(R"({"a":"twelve"})", "/t");
  const Ended all = run({"session", "list"});
  EXPECT_EQ(all.status, 0) << all.output;
  EXPECT_THAT(all.output, MatchesRegex("ID +KIND +LIVES IN +PRINCIPAL +VERSION +IDLE UNTIL +OCTETS\n"
                                       "([^\n]{16}  [st]     store     -          1        "
                                       "[0-9T:-]{19}Z  (7|14)\n){6}"
                                       "6 sessions; still to move: [^\n]*\n"));
  for (const std::string& id : ids) EXPECT_THAT(all.output, HasSubstr("\n" + id + "  s "));

  const Ended some = run({"session", "list", "--limit", "2"});
  EXPECT_THAT(some.output, HasSubstr("\n2 sessions, and there are more; "));
  const Ended kind = run({"session", "list", "--kind", "t"});
  EXPECT_THAT(kind.output, HasSubstr("\n" + other + "  t "));
  EXPECT_THAT(kind.output, HasSubstr("\n1 session; "));
  EXPECT_THAT(run({"session", "list", "--principal", "a b&limit=0"}).output, StartsWith("0 sessions; "));

  const Ended bogus = run({"session", "list", "--json", "--kind", "bogus"});
  EXPECT_EQ(bogus.status, 2);
  EXPECT_EQ(bogus.output, "stateway: there is no kind of sessions named bogus; the gateway has: s, t\n");
  const Ended json = run({"session", "list", "--json", "--kind=t"});
  EXPECT_THAT(json.output, StartsWith(fmt::format(R"({{"sessions":[{{"id":"{}","kind":"t",)", other)));
  EXPECT_THAT(json.output, ContainsRegex(R"(\],"count":1,"all":true,"kinds":\[\{"kind":"t",.*\}\]\})"
                                         "\n$"));
}

TEST_F(Commands, ASessionIsShownAndEnded) {
  begin();
  const std::string id = begin_session(R"({"a":1.50,"b":"é"})");
  const std::string other = begin_session(R"({"c":1})");
  const Ended shown = run({"session", "show", id});
  EXPECT_EQ(shown.status, 0);
  EXPECT_THAT(shown.output,
              StartsWith(fmt::format("id          {}\nkind        s\nlives in    store\n", id)));
  EXPECT_THAT(shown.output, HasSubstr("\ndocument    {\"a\":1.5,\"b\":\"\\u00e9\"}\n"));
  EXPECT_THAT(run({"session", "show", id, "--json"}).output,
              StartsWith(fmt::format(R"({{"id":"{}","kind":"s","lives_in":"store",)", id)));

  const Ended ended = run({"session", "end", id, "-AAAAAAAAAAAAAAA", id, other});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.output, HasSubstr(fmt::format("ended {}\n", id)));
  EXPECT_THAT(ended.output, HasSubstr("ended -AAAAAAAAAAAAAAA\n")) << "a client may have it";
  EXPECT_THAT(ended.output, HasSubstr(fmt::format("stateway: there is no session {} to end: ", id)));
  EXPECT_THAT(ended.output, HasSubstr(fmt::format("ended {}\n", other)));
  const Ended gone = run({"session", "show", id});
  EXPECT_EQ(gone.status, 1);
  EXPECT_THAT(gone.output, HasSubstr(fmt::format("stateway: the store has no session {}: ", id)));
}

TEST_F(Commands, ASessionInItsCookieIsEndedByItsId) {
  std::string config = origin_config();
  config.replace(config.find("placement = \"store\""), 19, "placement = \"client\"");
  start(config);
  Browser browser;
  browse(browser, "POST", "/s/patch", R"({"a":1})");
  const std::string before = browse(browser, "GET", "/s/session").body;
  EXPECT_THAT(before, testing::EndsWith(R"( 1 {"a":1})"));
  const std::string id = before.substr(0, 16);
  EXPECT_EQ(run({"session", "show", id}).status, 1) << "its client has it";
  const Ended ended = run({"session", "end", id});
  EXPECT_EQ(ended.status, 0) << ended.output;
  const std::string after = browse(browser, "GET", "/s/session").body;
  EXPECT_THAT(after, testing::EndsWith(" 0 {}"));
  EXPECT_NE(after.substr(0, 16), id);
}

TEST_F(Commands, ASessionInItsCookieIsEndedByAGatewayThatStartedWithAnotherPlacement) {
  const std::string store = origin_config();
  std::string client = store;
  client.replace(client.find("placement = \"store\""), 19, "placement = \"client\"");
  start(client);
  std::vector<Browser> browsers(2);
  for (Browser& b : browsers) browse(b, "POST", "/s/patch", R"({"a":1})");
  const std::string id = browse(browsers[0], "GET", "/s/session").body.substr(0, 16);
  stop();
  write_config(store);
  restart();
  const Ended ended = run({"session", "end", id});
  EXPECT_EQ(ended.status, 0) << ended.output;
  EXPECT_THAT(browse(browsers[0], "GET", "/s/session").body, testing::EndsWith(" 0 {}"));
  EXPECT_THAT(browse(browsers[1], "GET", "/s/session").body, testing::EndsWith(R"( 1 {"a":1})"));
}

TEST_F(Commands, TheListSaysHowManySessionsAreStillToMove) {
  const std::string store = origin_config();
  std::string client = store;
  client.replace(client.find("placement = \"store\""), 19, "placement = \"client\"");
  start(store);
  std::vector<Browser> browsers(3);
  for (Browser& b : browsers) browse(b, "POST", "/s/patch", R"({"a":1})");
  const auto last_line = [&](const std::string& expected) {
    std::string said;
    EXPECT_TRUE(eventually(
        [&] {
          said = run({"session", "list"}).output;
          return said.ends_with(expected + "\n");
        },
        60s))
        << said;
  };
  last_line("3 sessions; still to move: none");
  reload_with(client);
  last_line("3 sessions; still to move: 3 of s");
  browse(browsers[0], "GET", "/s/session");
  last_line("3 sessions; still to move: 2 of s");
  EXPECT_THAT(run({"session", "list"}).output, ContainsRegex("s +client    -"));
  reload_with(store);
  last_line("3 sessions; still to move: unknown of s");
  EXPECT_THAT(ask_admin("/v1/status").body, HasSubstr(R"("placement":"store","to_move":null,"moved":1,)"));
}

TEST_F(Commands, CheckSaysWhatAReloadWouldChangeAndChangesNothing) {
  const std::string store = origin_config();
  std::string other = store;
  other.replace(other.find("placement = \"store\""), 19, "placement = \"client\"");
  start(store);
  begin_session(R"({"a":1})");
  const std::string config = folder / "stateway.toml";
  const Ended same = run({"check", "--effect", "-c", config});
  EXPECT_EQ(same.status, 0);
  EXPECT_EQ(same.output, fmt::format("ok\na reload of the gateway at {} would change nothing\n", admin()));

  write_config(other);
  Ended changed;
  EXPECT_TRUE(eventually(
      [&] {
        changed = run({"check", "--effect", "-c", config});
        return changed.output.starts_with(
            fmt::format("ok\na reload of the gateway at {} would change:\n"
                        "  session s: placement store → client; sessions move into their cookies, as far as "
                        "they fit, each with its next exchange: 1 in the store (counted at ",
                        admin()));
      },
      60s))
      << changed.output;
  EXPECT_EQ(changed.status, 0);
  EXPECT_THAT(changed.output, ContainsRegex("counted at [0-9-]{10}T[0-9:]{8}Z\\)\n$"));
  EXPECT_THAT(ask_admin("/v1/status").body, HasSubstr(R"("generation":1,)")) << "nothing was reloaded";
  EXPECT_THAT(ask_admin("/v1/configuration").body,
              HasSubstr(R"({"section":"session.s","key":"placement","value":"store"})"));

  write_config(other + "[gateway]\n");
  EXPECT_EQ(run({"check", "--effect", "-c", config}).status, 2);
  other.replace(other.find("@DIR@/keys"), 10, "@DIR@/other");
  write_config(other);
  const Ended refused = run({"check", "--effect", "-c", config});
  EXPECT_EQ(refused.status, 2) << "check --effect && kill -HUP";
  EXPECT_THAT(
      refused.output,
      ContainsRegex("would refuse a reload, because these need a restart:\n  gateway.key_file: .*/keys → "
                    ".*/other\nwithout them a reload would change:\n  session s: placement store"));
  const std::string address = admin();
  write_config(store);
  stop();
  const Ended away = run_stateway(folder, {"check", "--effect", "-c", config, "--admin", address});
  EXPECT_EQ(away.status, 1);
  EXPECT_THAT(away.output, HasSubstr("stateway: no gateway answers at " + address));
}

TEST_F(Commands, WhatIsInTheWayIsSaidInOneSentence) {
  const std::string token = folder / "token", other = folder / "other", config = folder / "stateway.toml";
  std::ofstream(token) << "secret\n";
  std::ofstream(other) << "guess\n";
  std::string with_token = origin_config();
  with_token.insert(with_token.find("address = \"@ADMIN@\""), fmt::format("token_file = \"{}\"\n", token));
  start(with_token);
  const auto expect = [&](std::vector<std::string> arguments, int status, const std::string& pattern) {
    const Ended run = run_stateway(folder, std::move(arguments));
    EXPECT_EQ(run.status, status) << run.output;
    EXPECT_THAT(run.output, MatchesRegex(pattern + "\n"));
  };
  expect({"session", "list", "--admin", admin()}, 1,
         "stateway: the gateway at [^ ]+ asks for a token: name its file by --token-file; the "
         "configuration's is not sent to an address given by --admin");
  expect({"session", "list", "--admin", admin(), "--token-file", other}, 1,
         "stateway: the gateway at [^ ]+ asks for another token: [^\n]*");
  expect({"session", "list", "--admin", admin(), "--token-file", token}, 0, "0 sessions; [^\n]*");
  expect({"session", "list", "-c", config}, 2, "stateway: the admin address has port 0[^\n]*");
  expect({"session", "list", "-c", folder / "none"}, 2, "[^\n]*none: No such file or directory");
  expect({"session", "list", "--admin", to_string(gateway->clients()), "--token-file", token}, 1,
         "stateway: the gateway at [^ ]+ refuses: [^\n]*");
  restart();
  expect({"session", "list", "-c", config}, 0, "0 sessions; [^\n]*");
  stop();
  expect({"session", "list", "-c", config}, 1, "stateway: no gateway answers at [^ ]+: start it, or [^\n]*");
}

TEST_F(Commands, AKeyIsRotatedByTheGatewayOrInTheFile) {
  begin();
  const std::string config = folder / "stateway.toml";
  const Ended first = run({"key", "list"});
  EXPECT_EQ(first.status, 0) << first.output;
  EXPECT_THAT(first.output, MatchesRegex("ID +CREATED +DOES\n[0-9a-f]{8}  [0-9T:-]{19}Z  seals\n"
                                         "1 key, by the gateway at 127.0.0.1:[0-9]+\n"));
  const std::string id = begin_session(R"({"a":1})");
  const Ended rotated = run({"key", "rotate"});
  EXPECT_EQ(rotated.status, 0);
  EXPECT_THAT(rotated.output, MatchesRegex("added [0-9a-f]{8}, which seals from [0-9T:-]{19}Z on, by the "
                                           "gateway at 127.0.0.1:[0-9]+\n"));
  EXPECT_THAT(run({"key", "list"}).output, ContainsRegex("seals until .*Z\n.*waits until .*Z\n2 keys, by"));
  EXPECT_EQ(run({"session", "show", id}).status, 0);

  // The next start is at the same addresses, which the file says.
  restart();
  stop();
  EXPECT_THAT(run_stateway(folder, {"key", "list", "-c", config}).output,
              HasSubstr(fmt::format("2 keys, by the file {}; no gateway runs\n", folder / "keys")));
  const Ended refused = run({"key", "rotate"});
  EXPECT_EQ(refused.status, 1) << "--admin names a gateway: no other way will do";
  EXPECT_THAT(refused.output, StartsWith("stateway: no gateway answers at "));

  std::vector<std::unique_ptr<lab::Program>> rotators;
  for (int n = 0; n < 6; ++n) {
    auto rotator = lab::Program::start({.words = {stateway_binary(), "key", "rotate", "-c", config},
                                        .environment = {},
                                        .output_file = folder / fmt::format("rotator-{}", n)});
    ASSERT_TRUE(rotator.has_value());
    rotators.push_back(std::move(*rotator));
  }
  for (const auto& rotator : rotators) EXPECT_EQ(rotator->wait(30s).value().status, 0);
  const std::string keys = lab::read_file(folder / "keys");
  for (int n = 0; n < 6; ++n) {
    const std::string said = lab::read_file(folder / fmt::format("rotator-{}", n));
    ASSERT_THAT(said, StartsWith("added "));
    EXPECT_THAT(keys, HasSubstr("\n" + said.substr(6, 8) + " ")) << "no rotator's key is lost";
  }
  EXPECT_THAT(run_stateway(folder, {"key", "list", "-c", config}).output, HasSubstr("\n8 keys, by the file"));

  std::filesystem::permissions(folder / "keys", std::filesystem::perms(0644));
  const Ended open = run_stateway(folder, {"key", "rotate", "-c", config});
  EXPECT_EQ(open.status, 1);
  EXPECT_THAT(open.output, MatchesRegex("stateway: others may read or write [^\n]*: run chmod 600 [^\n]*\n"));
  std::filesystem::remove(folder / "keys");
  EXPECT_THAT(run_stateway(folder, {"key", "list", "-c", config}).output,
              ContainsRegex("stateway: cannot read the key file .*; a gateway makes it at its first start"));
}

}  // namespace
}  // namespace stateway::scenario
