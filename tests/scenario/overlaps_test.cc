// Many exchanges of one session at once: each wrote something, and all of it is there.
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "site.h"

namespace stateway::scenario {
namespace {

constexpr int kParallel = 50;

struct Way {
  const char* placement;
  const char* lane;
};
void PrintTo(const Way& way, std::ostream* out) { *out << way.placement << ", " << way.lane; }

class Overlaps : public Site, public testing::WithParamInterface<Way> {
 protected:
  void SetUp() override {
    start(documents_config(GetParam().placement, fmt::format("lane = \"{}\"", GetParam().lane)));
  }

  bool serial() const { return std::string_view(GetParam().lane) == "serial"; }

  /// Sends all the bodies at once, with the cookie as it is now, each on a connection of its own; the browser
  /// stores the cookies of the answers in their order here.
  std::vector<Reply> patch_at_once(const std::vector<std::string>& bodies, std::string_view query = "") {
    std::vector<Raw> connections;
    for (const std::string& body : bodies) {
      connections.push_back(connect());
      connections.back().send(
          fmt::format("POST /s/patch{} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}Content-Length: "
                      "{}\r\n\r\n{}",
                      query, to_string(gateway->clients()), browser.header(), body.size(), body));
    }
    std::vector<Reply> out;
    for (Raw& connection : connections) {
      out.push_back(connection.reply());
      browser.take(out.back());
    }
    return out;
  }
  std::string document() { return browse(browser, "GET", "/s/session-url").body; }

  Browser browser;
};

TEST_P(Overlaps, FiftyThatAddAKeyEachLeaveAllFifty) {
  EXPECT_EQ(browse(browser, "POST", "/s/patch", R"({"begun":true})").status, 200);
  std::vector<std::string> bodies;
  for (int i = 0; i < kParallel; ++i) bodies.push_back(fmt::format(R"({{"k{}":{}}})", 100 + i, i));
  // In merge all of them are at the service before the first is answered; in serial one is.
  const std::string before = browser.cookie;
  const auto replies = patch_at_once(bodies, serial() ? "" : fmt::format("?gather={}", kParallel));
  std::vector<std::string> cookies{browser.cookie, before};
  for (const Reply& reply : replies) {
    EXPECT_EQ(reply.status, 200) << reply.body;
    if (!reply.has("Set-Cookie")) continue;
    Browser one;
    one.take(reply);
    cookies.push_back(one.cookie);
  }
  // Whichever of the cookies the browser stored last, and any that another window still has.
  for (const std::string& cookie : cookies) {
    browser.cookie = cookie;
    const std::string found = document();
    EXPECT_EQ(std::ranges::count(found, ':'), 1 + kParallel) << found;
    for (int i = 0; i < kParallel; ++i)
      EXPECT_NE(found.find(fmt::format(R"("k{}":{})", 100 + i, i)), std::string::npos) << i;
  }
}

TEST_P(Overlaps, IncrementsThatTestWhatTheyReadMakeTheExactSum) {
  constexpr std::size_t kWriters = 10;
  constexpr int kEach = 5;
  EXPECT_EQ(browse(browser, "POST", "/s/patch", R"({"n":0})").status, 200);
  std::vector<int> left(kWriters, kEach);  // increments each writer still has to make
  int refused = 0;
  for (int round = 0; std::ranges::any_of(left, [](int n) { return n > 0; }); ++round) {
    ASSERT_LE(round, static_cast<int>(kWriters) * kEach) << "each round lets one through at least";
    const std::string read = document();
    const std::size_t at = read.find(R"("n":)");
    ASSERT_NE(at, std::string::npos) << read;
    const auto n = parse_decimal(std::string_view(read).substr(at + 4, read.find('}') - at - 4));
    ASSERT_TRUE(n.has_value()) << read;
    const std::string patch = fmt::format(
        R"([{{"op":"test","path":"/n","value":{}}},{{"op":"replace","path":"/n","value":{}}}])", *n, *n + 1);
    std::vector<std::size_t> writers;
    for (std::size_t i = 0; i < left.size(); ++i)
      if (left[i] > 0) writers.push_back(i);
    const auto replies = patch_at_once(std::vector<std::string>(writers.size(), patch));
    for (std::size_t i = 0; i < writers.size(); ++i) {
      EXPECT_THAT(replies[i].status, testing::AnyOf(200, 409)) << replies[i].body;
      if (replies[i].status == 200) --left[writers[i]];
      if (replies[i].status == 409) ++refused;
    }
  }
  EXPECT_THAT(document(), testing::HasSubstr(fmt::format(R"("n":{}}})", kWriters * kEach)));
  EXPECT_GT(refused, 0) << "nothing overlapped: this proved nothing";
}

INSTANTIATE_TEST_SUITE_P(, Overlaps,
                         testing::Values(Way{"store", "merge"}, Way{"store", "serial"},
                                         Way{"hybrid", "merge"}, Way{"hybrid", "serial"},
                                         Way{"client", "merge"}, Way{"client", "serial"}),
                         [](const auto& info) {
                           return fmt::format("{}_{}", info.param.placement, info.param.lane);
                         });

class OverlapsThatMove : public Site {
 protected:
  static constexpr int kSessions = 4;
  static constexpr int kEach = 6;  // requests of one session at once

  Raw send(const Browser& browser, std::string_view key) {
    Raw out = connect();
    const std::string body = fmt::format(R"({{"{}":1}})", key);
    out.send(fmt::format(
        "POST /s/patch HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}Content-Length: {}\r\n\r\n{}",
        to_string(gateway->clients()), browser.header(), body.size(), body));
    return out;
  }

  /// Patches of all sessions at once; meanwhile the placement becomes `next`. The browsers store the answers'
  /// cookies in the order of their requests, or the other way round.
  void round(int number, std::string_view next) {
    std::vector<Raw> sent;
    for (int i = 0; i < kEach; ++i)
      for (int s = 0; s < kSessions; ++s) {
        keys_[s].push_back(fmt::format("r{}i{}", number, i));
        sent.push_back(send(browsers_[s], keys_[s].back()));
        if (i == kEach / 2 && s == 0) reload_with(documents_config(next));
      }
    std::vector<Reply> replies;
    for (Raw& one : sent) replies.push_back(one.reply());
    if (number % 2 == 1) std::ranges::reverse(replies);
    for (std::size_t i = 0; i < replies.size(); ++i) {
      EXPECT_EQ(replies[i].status, 200) << replies[i].body;
      const std::size_t s = number % 2 == 1 ? kSessions - 1 - i % kSessions : i % kSessions;
      browsers_[s].take(replies[i]);
    }
  }

  void expect_all(int number) {
    for (int s = 0; s < kSessions; ++s) {
      Browser looks = browsers_[s];
      const std::string found = browse(looks, "GET", "/s/session-url").body;
      for (const std::string& key : keys_[s])
        EXPECT_NE(found.find('"' + key + '"'), std::string::npos) << key << " after round " << number;
      EXPECT_EQ(std::ranges::count(found, ':'), static_cast<std::ptrdiff_t>(keys_[s].size())) << found;
      if (number % 3 == 0) browsers_[s] = looks;  // else that answer was lost
    }
  }

  std::vector<Browser> browsers_{kSessions};
  std::vector<std::vector<std::string>> keys_{kSessions};
};

TEST_F(OverlapsThatMove, LoseNothingWhicheverAnswerTheBrowserStoredLast) {
  constexpr const char* kCycle[] = {"client", "store", "hybrid", "client", "hybrid", "store"};
  start(documents_config(kCycle[0]));
  for (int s = 0; s < kSessions; ++s) {
    keys_[s].push_back("begun");
    EXPECT_EQ(browse(browsers_[s], "POST", "/s/patch", R"({"begun":1})").status, 200);
  }
  for (int number = 1; number <= 18; ++number) {
    round(number, kCycle[number % std::size(kCycle)]);
    expect_all(number);
  }
}

}  // namespace
}  // namespace stateway::scenario
