// Which instance gets a request, and how many at once, with several event loops.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "site.h"

namespace stateway::scenario {
namespace {

class Balancing : public Site {
 protected:
  /// `service` is put into the service, `route` into a route /a.
  void begin(std::string_view service, std::string_view route = "") {
    std::string config =
        origin_config(fmt::format("[[route]]\npath = \"/a\"\nservice = \"origin\"\n{}", route));
    config.insert(config.find("debug_headers"), "threads = 3\n");
    const std::string_view timeout = "timeout = { connect = \"10s\" }\n";
    if (service.find("timeout") != std::string_view::npos) config.erase(config.find(timeout), timeout.size());
    config.insert(config.find("socket = true"), service);
    start(config);
    wait_until_all_are_up();
  }
  std::string who(std::string_view target, std::string_view more = "") {
    const Reply reply = get(target, more);
    EXPECT_EQ(reply.status, 200) << target;
    return reply.field("Stateway-Instance");
  }
  /// So many requests at once, each on a connection of its own.
  std::vector<Raw> send(unsigned n, std::string_view target) {
    std::vector<Raw> out;
    for (unsigned i = 0; i < n; ++i) {
      out.push_back(connect());
      out.back().send(fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n\r\n", target));
    }
    return out;
  }
};

TEST_F(Balancing, AKeyStaysWithItsInstanceOnEveryLoopAndThroughARestart) {
  begin("count = 4\n", "affinity = \"header:X-Tenant\"\n");
  std::map<std::string, std::string> owners;
  std::set<std::string> used;
  for (int tenant = 0; tenant < 24; ++tenant) {
    const std::string field = fmt::format("X-Tenant: t{}\r\n", tenant);
    owners[field] = who("/a/echo-head", field);
    used.insert(owners[field]);
    for (int again = 0; again < 4; ++again) EXPECT_EQ(who("/a/echo-head", field), owners[field]);
  }
  EXPECT_EQ(used.size(), 4u);
  std::set<std::string> without_key;
  for (int i = 0; i < 40; ++i) without_key.insert(who("/a/echo-head"));
  EXPECT_GT(without_key.size(), 1u) << "requests without the field go where there is room";

  stop();
  restart();
  wait_until_all_are_up();
  for (const auto& [field, owner] : owners) EXPECT_EQ(who("/a/echo-head", field), owner);
}

TEST_F(Balancing, ASessionIsAKeyWithHash) {
  std::string config = origin_config();
  for (std::string_view stateless : {"/o", "/get", "/small"}) {
    const std::size_t at = config.find(fmt::format("path = \"{}\"", stateless));
    config.insert(at, "affinity = \"client_ip\"\n");
  }
  config.insert(config.find("socket = true"), "count = 4\nbalance = \"hash\"\n");
  start(config);
  wait_until_all_are_up();
  std::set<std::string> used;
  for (int client = 0; client < 16; ++client) {
    const Reply first = ask("POST", "/s/patch", "", R"({"a":1})");
    std::string cookie = first.field("Set-Cookie");
    cookie = "Cookie: " + cookie.substr(0, cookie.find(';')) + "\r\n";
    const std::string owner = first.field("Stateway-Instance");
    used.insert(owner);
    for (int again = 0; again < 3; ++again) EXPECT_EQ(who("/s/session", cookie), owner);
  }
  EXPECT_GT(used.size(), 1u);
  const std::string by_address = who("/o/echo-head");
  for (int again = 0; again < 5; ++again) EXPECT_EQ(who("/o/echo-head"), by_address);
}

TEST_F(Balancing, AnInstanceNeverHasMoreThanItMayAndTheQueueHasItsEnd) {
  begin("concurrency_per_instance = 2\nqueue = 4\n");
  std::vector<Raw> all = send(10, "/o/slow?ms=1500");
  std::map<std::string, int> outcomes;
  for (Raw& raw : all) {
    const Reply reply = raw.reply();
    ++outcomes[reply.status == 200 ? "200" : fmt::format("{} {}", reply.status, reply.problem())];
    if (reply.status == 503) EXPECT_TRUE(reply.has("Retry-After"));
  }
  EXPECT_EQ(outcomes, (std::map<std::string, int>{{"200", 6}, {"503 queue-full", 4}}));
  EXPECT_EQ(get("/o/most").body, "2");
}

TEST_F(Balancing, NobodyWaitsInTheQueueLongerThanForAConnect) {
  begin("concurrency_per_instance = 1\ntimeout = { connect = \"300ms\" }\n");
  std::vector<Raw> first = send(1, "/o/slow?ms=3000");
  eventually([&] { return ask_admin("/v1/services").body.find("\"active\":1") != std::string::npos; });
  const Reply late = get("/o/echo-head");
  EXPECT_EQ(late.status, 503);
  EXPECT_EQ(late.problem(), "no-instance");
  EXPECT_EQ(first[0].reply().status, 200);
  EXPECT_EQ(get("/o/echo-head").status, 200);
}

TEST_F(Balancing, AProgramThatCrashesEachTimeIsNotWaitedForAndComesBackWhenItIsRepaired) {
  std::string config = origin_config();
  const std::string_view command = "[\"@ORIGIN@\"]";
  config.replace(config.find(command), command.size(),
                 R"(["/bin/sh", "-c", "test -e @DIR@/works && exec @ORIGIN@"]
crash_limit = 2)");
  std::ofstream(folder / "works") << "x";
  start(config);
  wait_until_all_are_up();
  std::filesystem::remove(folder / "works");
  kill_instance(instances().at(0).pid);
  const auto shows = [this](std::string_view text) {
    return ask_admin("/v1/services").body.find(text) != std::string::npos;
  };
  eventually([&] { return shows(R"("state":"down")") && !shows(R"("next_start":null)"); });
  EXPECT_TRUE(shows(R"("last_error":"exited with status 1")"));
  std::ofstream(folder / "works") << "x";
  wait_until_all_are_up();
  EXPECT_EQ(get("/o/echo-head").status, 200);
}

}  // namespace
}  // namespace stateway::scenario
