// lane = "serial": who waits for whom, and what becomes of those who wait.
#include <fmt/format.h>

#include <deque>
#include <map>

#include "base/bytes.h"
#include "cart_load.h"
#include "io/test_loop.h"
#include "sticky.h"

namespace stateway::scenario {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

struct Kind {
  std::string_view placement = "store";
  std::string_view more = "";  // of the session
  std::string_view replay = "reject";
  std::string_view service = "";  // more of it
};

// Sessions in a serial lane under /q; /o knows no session.
std::string serial(const Kind& kind) {
  return fmt::format(R"([gateway]
debug_headers = true
key_file = "@DIR@/keys"
[log]
access = false
[[listen]]
address = "@CLIENTS@"
[admin]
address = "@ADMIN@"
[store]
path = "@DIR@/state"
[session.q]
placement = "{}"
lane = "serial"
{}
[service.origin]
command = ["@ORIGIN@"]
socket = true
health = {{ path = "/healthz", interval = "100ms", timeout = "2s", rise = 1 }}
{}
[[route]]
path = "/o"
service = "origin"
[[route]]
path = "/q"
service = "origin"
session = "q"
replay = "{}"
)",
                     kind.placement, kind.more, kind.service, kind.replay);
}

class Lanes : public StickySite {
 protected:
  /// A browser whose session has begun.
  Browser browser_in_session() {
    Browser browser;
    EXPECT_EQ(browse(browser, "POST", "/q/patch", kept_ ? R"({"begun":true})" : "").status, 200);
    EXPECT_NE(browser.cookie, "");
    return browser;
  }
  /// Sends a request of it and leaves the answer for later.
  Raw send(const Browser& browser, std::string_view target, std::string_view body,
           std::string_view method = "POST") {
    Raw raw = connect();
    raw.send(
        fmt::format("{} {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nCookie: {}\r\n"
                    "Content-Length: {}\r\n\r\n{}",
                    method, target, browser.cookie, body.size(), body));
    return raw;
  }
  void wait_for_waiting(std::uint64_t n) {
    EXPECT_TRUE(eventually([&] { return status_number("lane_waiting") == n; })) << n << " should wait";
  }
  /// Requests that the service has had.
  std::uint64_t served() { return parse_decimal(get("/o/count").body).value_or(0); }
  /// Returns when `n` more than `before` have come to the service.
  void wait_for_served(std::uint64_t before, std::uint64_t n) {
    EXPECT_TRUE(eventually([&] { return served() == before + n; }));
  }
  void let_go() { EXPECT_EQ(get("/o/let-go").status, 200); }
  std::string most_of_one() { return get("/o/most-of-one").body; }
  std::string document(Browser& browser) {
    const std::string text = browse(browser, "GET", "/q/session").body;
    return text.substr(text.find('{'));
  }

  bool kept_ = true;  // the gateway keeps a document
};

std::string add_to_order(int i) { return fmt::format(R"([{{"op":"add","path":"/order/-","value":{}}}])", i); }

TEST_F(Lanes, FiftyAtOnceRunOneAtATimeInTheOrderOfTheirArrival) {
  start(serial({}));
  Browser browser = browser_in_session();
  browse(browser, "POST", "/q/patch", R"({"order":[]})");
  const std::uint64_t before = served();
  std::deque<Raw> sent;
  sent.push_back(send(browser, "/q/patch?hold=1", add_to_order(0)));
  wait_for_served(before, 1);
  std::string order = "0";
  for (int i = 1; i < 50; ++i) {
    sent.push_back(send(browser, "/q/patch", add_to_order(i)));
    wait_for_waiting(static_cast<std::uint64_t>(i));
    order += fmt::format(",{}", i);
  }
  EXPECT_EQ(served(), before + 1) << "none of those who wait has reached the service";
  EXPECT_EQ(document(browser), R"({"begun":true,"order":[]})")
      << "a safe one runs beside, on what is committed";
  let_go();
  for (Raw& raw : sent) EXPECT_EQ(raw.reply().status, 200);
  EXPECT_EQ(document(browser), fmt::format(R"({{"begun":true,"order":[{}]}})", order));
  EXPECT_EQ(most_of_one(), "1");
  EXPECT_EQ(status_number("overlaps"), 0u);
  EXPECT_EQ(status_number("lane_waiting"), 0u);
  EXPECT_EQ(status_number("lane_refused"), 0u);
}

TEST_F(Lanes, FiftyInAnyOrderAddTheirOwnKeys) {
  start(serial({.placement = "client"}));
  Browser browser = browser_in_session();
  std::deque<Raw> sent;
  for (int i = 0; i < 50; ++i)
    sent.push_back(send(browser, "/q/patch?ms=1", fmt::format(R"({{"k{}":1}})", i)));
  for (Raw& raw : sent) EXPECT_EQ(raw.reply().status, 200);
  const std::string all = document(browser);
  for (int i = 0; i < 50; ++i) EXPECT_THAT(all, HasSubstr(fmt::format(R"("k{}":1)", i)));
  EXPECT_EQ(most_of_one(), "1");
}

TEST_F(Lanes, SessionsOfAnInstanceTakeTurnsToo) {
  kept_ = false;
  start(serial({.placement = "instance"}));
  const Browser browser = browser_in_session();
  std::deque<Raw> sent;
  for (int i = 0; i < 20; ++i) sent.push_back(send(browser, "/q/patch?ms=1", ""));
  for (Raw& raw : sent) EXPECT_EQ(raw.reply().status, 200);
  EXPECT_EQ(most_of_one(), "1");
}

TEST_F(Lanes, SafeOnesMayPatchBesideAndTheOneBeforeKeepsItsTurnWhenItRunsAgain) {
  start(serial({.replay = "re-execute"}));
  Browser browser = browser_in_session();
  const std::uint64_t before = served();
  Raw first = send(browser, "/q/patch?hold=1", R"({"n":1})");
  wait_for_served(before, 1);
  Raw second = send(browser, "/q/patch", R"({"n":2})");
  wait_for_waiting(1);
  EXPECT_EQ(send(browser, "/q/patch", R"({"n":7})", "GET").reply().status, 200);
  let_go();  // the first one's patch overlaps with that: it runs again
  wait_for_served(before, 3);
  EXPECT_EQ(status_number("reruns"), 1u);
  EXPECT_EQ(status_number("lane_waiting"), 1u);
  let_go();
  EXPECT_EQ(first.reply().field("Stateway-Version"), "3");
  EXPECT_EQ(second.reply().field("Stateway-Version"), "4");
  EXPECT_THAT(document(browser), HasSubstr(R"("n":2)"));
}

TEST_F(Lanes, AFullQueueIs503AndThoseInItAreServed) {
  start(serial({.more = "lane_queue = 2"}));
  const Browser browser = browser_in_session(), other = browser_in_session();
  const std::uint64_t before = served();
  Raw holder = send(browser, "/q/patch?hold=1", R"({"n":1})");
  wait_for_served(before, 1);
  Raw first = send(browser, "/q/patch", R"({"n":2})");
  wait_for_waiting(1);
  Raw second = send(browser, "/q/patch", R"({"n":3})");
  wait_for_waiting(2);
  const Reply third = send(browser, "/q/patch", R"({"n":4})").reply();
  EXPECT_EQ(third.status, 503);
  EXPECT_EQ(third.problem(), "lane-full");
  EXPECT_EQ(third.field("Retry-After"), "1");
  EXPECT_EQ(status_number("lane_refused"), 1u);
  EXPECT_EQ(send(other, "/q/patch", R"({"n":5})").reply().status, 200)
      << "another session is no part of this";
  let_go();
  for (Raw* raw : {&holder, &first, &second}) EXPECT_EQ(raw->reply().status, 200);
  EXPECT_EQ(status_number("lane_refused"), 1u);
}

TEST_F(Lanes, AClientThatGoesWhileItWaitsFreesItsPlace) {
  start(serial({.more = "lane_queue = 1"}));
  Browser browser = browser_in_session();
  const std::uint64_t before = served();
  Raw holder = send(browser, "/q/patch?hold=1", R"({"n":1})");
  wait_for_served(before, 1);
  for (const std::size_t unread : {0, 100'000}) {
    Raw gone = send(browser, "/q/patch", R"({"gone":true})" + std::string(unread, ' '));
    wait_for_waiting(1);
    gone.close();
    wait_for_waiting(0);
  }
  Raw next = send(browser, "/q/patch", R"({"n":2})");
  wait_for_waiting(1);
  let_go();
  for (Raw* raw : {&holder, &next}) EXPECT_EQ(raw->reply().status, 200);
  EXPECT_EQ(served(), before + 2) << "the service has not seen the one that went";
  EXPECT_EQ(document(browser), R"({"begun":true,"n":2})");
  EXPECT_EQ(status_number("client_gone"), 2u);
}

TEST_F(Lanes, AStopEndsThoseWhoWait) {
  std::string config = serial({});
  config.insert(config.find("debug_headers"), "threads = 4\ndrain_timeout = \"200ms\"\n");
  start(config);
  const Browser browser = browser_in_session(), other = browser_in_session();
  const std::uint64_t before = served();
  std::deque<Raw> held, waiting;
  for (const Browser* b : {&browser, &other}) held.push_back(send(*b, "/q/patch?hold=1", R"({"n":1})"));
  wait_for_served(before, 2);
  for (int i = 0; i < 10; ++i)
    waiting.push_back(send(i % 2 == 0 ? browser : other, "/q/patch", R"({"n":2})"));
  wait_for_waiting(10);
  stop();
  // Loops end one by one: where the holder's is a moment earlier, who waited at another may have its turn
  // yet.
  for (Raw& raw : waiting)
    EXPECT_THAT(raw.read_to_end(), testing::AnyOf("", testing::StartsWith("HTTP/1.1 200 OK\r\n")));
}

TEST_F(Lanes, AClientThatGoesAfterItsTurnBeganKeepsItUntilTheCommit) {
  start(serial({}));
  Browser browser = browser_in_session();
  const std::uint64_t before = served();
  Raw holder = send(browser, "/q/patch?hold=1", R"({"n":1})");
  wait_for_served(before, 1);
  Raw next = send(browser, "/q/patch", R"([{"op":"test","path":"/n","value":1}])");
  wait_for_waiting(1);
  holder.close();
  let_go();
  EXPECT_EQ(next.reply().status, 200);
}

TEST_F(Lanes, OneThatGoesToAnotherInstanceKeepsItsTurn) {
  start(serial({.replay = "re-execute"}));
  Browser browser = browser_in_session();
  const std::uint64_t before = served();
  Raw holder = send(browser, "/q/patch?hold=1", R"({"n":1})");
  wait_for_served(before, 1);
  Raw next = send(browser, "/q/patch", R"([{"op":"test","path":"/n","value":1}])");
  wait_for_waiting(1);
  kill_instance(instances().at(0).pid);
  wait_for_served(0, 1);  // by the process that was started in its place
  EXPECT_EQ(status_number("lane_waiting"), 1u);
  let_go();
  EXPECT_EQ(holder.reply().status, 200);
  EXPECT_EQ(next.reply().status, 200);
}

TEST_F(Lanes, AnInstanceThatDiesEndsTheTurn) {
  start(serial({}));
  Browser browser = browser_in_session();
  const std::uint64_t before = served();
  Raw holder = send(browser, "/q/patch?hold=1", R"({"n":1})");
  wait_for_served(before, 1);
  Raw next = send(browser, "/q/patch", R"({"n":2})");
  wait_for_waiting(1);
  kill_instance(instances().at(0).pid);
  const Reply broken = holder.reply();
  EXPECT_EQ(broken.status, 502);
  EXPECT_EQ(broken.problem(), "outcome-unknown");
  // It may still have reached the process that was dying.
  const Reply after = next.reply();
  EXPECT_TRUE(after.status == 200 || after.problem() == "outcome-unknown") << after.status << after.body;
  EXPECT_EQ(status_number("lane_waiting"), 0u);
  EXPECT_EQ(send(browser, "/q/patch", R"({"n":3})").reply().status, 200);
  EXPECT_EQ(document(browser), R"({"begun":true,"n":3})");
}

TEST_F(Lanes, WhatIsDoneInAnInstancesMemoryIsNotDoneAgainAtAnother) {
  kept_ = false;
  start(serial({.placement = "instance", .replay = "re-execute"}));
  const Browser browser = browser_in_session();
  const std::uint64_t before = served();
  Raw holder = send(browser, "/q/patch?hold=1", "");
  wait_for_served(before, 1);
  kill_instance(instances().at(0).pid);
  EXPECT_EQ(holder.reply().problem(), "outcome-unknown");
}

TEST_F(Lanes, WhereTheSessionEndedOrWasRenewedMeanwhileNobodyGetsFurther) {
  for (const std::string_view placement : {"store", "client", "hybrid", "instance"}) {
    kept_ = placement != "instance";
    start(serial({.placement = placement}));
    for (const std::string_view op : {"end", "renew"}) {
      Browser browser = browser_in_session();
      const std::uint64_t before = served();
      Raw first = send(browser, fmt::format("/q/patch?hold=1&op={}", op), "");
      wait_for_served(before, 1);
      Raw second = send(browser, "/q/patch", kept_ ? R"({"late":true})" : "");
      wait_for_waiting(1);
      let_go();
      EXPECT_EQ(first.reply().status, 200);
      const Reply late = second.reply();
      EXPECT_EQ(late.status, 409) << placement << " " << op;
      EXPECT_EQ(late.problem(), "session-ended");
      EXPECT_FALSE(late.has("Set-Cookie")) << "it would take the place of what the first one set";
      EXPECT_EQ(served(), before + 1);
    }
    stop();
  }
}

// Clients of one test on one loop.
struct Crowd {
  Address gateway;
  Lab lab;
  unsigned good = 0;
  std::map<std::string, unsigned> refused;  // and why

  io::Task<std::string> ask(std::string_view method, std::string target, std::string cookie,
                            std::string body) {
    const TimePoint deadline = lab.loop.now() + 120s;
    auto stream = co_await lab.network.connect(gateway, deadline);
    if (!stream) co_return refuse(stream.error().context);
    wire::Client client(std::move(*stream), {});
    wire::ClientRequest request;
    request.method = method;
    request.target = target;
    request.body = std::move(body);
    if (!cookie.empty()) request.fields.emplace_back("Cookie", std::move(cookie));
    const auto response = co_await client.exchange(request, deadline);
    if (!response) co_return refuse(response.error().context);
    if (response->status != 200) co_return refuse(response->body.substr(0, 60));
    const std::string* const set = response->field("Set-Cookie");
    co_return set == nullptr ? response->body : set->substr(0, set->find(';'));
  }
  std::string refuse(std::string why) {
    ++refused[std::move(why)];
    return "";
  }
  io::Task<void> add(std::string cookie, int i, unsigned& done) {
    const std::string answer =
        co_await ask("POST", "/q/patch?ms=1", cookie, fmt::format(R"({{"k{}":1}})", i));
    if (answer == "patched") ++done;
  }
  // Begins a session, changes it twice at once, and looks.
  io::Task<void> live() {
    const std::string cookie = co_await ask("POST", "/q/patch", "", R"({"begun":1})");
    unsigned done = 0;
    {
      io::TaskGroup both;
      for (int i = 0; i < 2; ++i) both.spawn(add(cookie, i, done));
      co_await both.drained();
    }
    const std::string seen = co_await ask("GET", "/q/session", cookie, "");
    if (done == 2 && (seen.ends_with(R"( 3 {"begun":1,"k0":1,"k1":1})") ||
                      seen.ends_with(R"( 3 {"begun":1,"k1":1,"k0":1})")))
      ++good;
  }
  io::Task<void> run(unsigned count) {
    io::TaskGroup all;
    for (unsigned i = 0; i < count; ++i) all.spawn(live());
    co_await all.drained();
  }
};

TEST_F(Lanes, ThousandsOfSessionsAtOnce) {
  start(
      serial({.more = "lane_wait = \"100s\"",
              .service = "concurrency_per_instance = 200\nqueue = 10000\ntimeout = { connect = \"100s\" }"}));
  constexpr unsigned kSessions = 3000;
  Crowd crowd{.gateway = gateway->clients()};
  io::run_until_done(crowd.lab.loop, crowd.run(kSessions), std::chrono::minutes(5));
  EXPECT_EQ(crowd.good, kSessions) << testing::PrintToString(crowd.refused);
  EXPECT_EQ(most_of_one(), "1");
  EXPECT_EQ(status_number("overlaps"), 0u);
  EXPECT_EQ(status_number("lane_waiting"), 0u);
}

}  // namespace
}  // namespace stateway::scenario
