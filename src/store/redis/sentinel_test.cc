#include "store/redis/sentinel.h"

#include <gtest/gtest.h>

#include "store/redis/test_server.h"

namespace stateway::store::redis {
namespace {

using test::Server;
using test::Words;
using test::World;

std::string named(const std::string& host) {
  return "*2\r\n$" + std::to_string(host.size()) + "\r\n" + host + "\r\n$4\r\n6379\r\n";
}

/// Two sentinels, of which the first names `said`, and a master.
struct Watched {
  explicit Watched(const std::string& said) {
    first.answer = [said](const Words&) { return named(said); };
    second.answer = [this](const Words&) { return named(w.at.host); };
  }
  io::Task<int> requests(int count) {
    int good = 0;
    for (int i = 0; i < count; ++i) {
      const Request ping{.key = "k", .command = format_command({"PING"})};
      const auto answer = co_await router->ask(ping, w.loop.now() + 2s);
      good += answer ? 1 : 0;
    }
    co_return good;
  }

  World w;
  io::SimHost first_host{w.network, "10.0.0.3"}, second_host{w.network, "10.0.0.4"};
  const Address first_at{.host = "10.0.0.3", .port = 26379}, second_at{.host = "10.0.0.4", .port = 26379};
  Server first{w.loop, first_host, first_at}, second{w.loop, second_host, second_at};
  Server master{w.loop, w.host, w.at};
  SentinelTopology topology{{first_at, second_at}, "shop", Access{}};
  std::unique_ptr<Router> router = topology.make_router(w.loop, w.client);
};

TEST(RedisSentinel, OneThatNamesWhoCannotBeReachedIsAskedLast) {
  Watched of("10.0.0.9");  // nobody is there
  static constexpr auto test = [](Watched& o) -> io::Task<void> {
    const int good = co_await o.requests(10);
    EXPECT_GE(good, 9);
  };
  of.w.run(test(of));
  EXPECT_GE(of.first.asked.size(), 1u);
  EXPECT_EQ(of.second.asked.size(), 1u);
}

TEST(RedisSentinel, OneThatNamesAReplicaIsAskedLast) {
  Watched of("10.0.0.5");
  io::SimHost host(of.w.network, "10.0.0.5");
  Server replica(of.w.loop, host, {.host = "10.0.0.5", .port = 6379});
  replica.info.replace(replica.info.find("role:master"), 11, "role:slave");
  static constexpr auto test = [](Watched& o) -> io::Task<void> {
    const int good = co_await o.requests(10);
    EXPECT_EQ(good, 10);
  };
  of.w.run(test(of));
  EXPECT_EQ(of.first.asked.size(), 1u);
  EXPECT_EQ(of.second.asked.size(), 1u);
}

TEST(RedisSentinel, OneThatIsRightIsAskedAgain) {
  Watched of("10.0.0.2");
  of.master.hang_up_after = 3;
  static constexpr auto test = [](Watched& o) -> io::Task<void> {
    const int good = co_await o.requests(4);
    EXPECT_EQ(good, 4);
  };
  of.w.run(test(of));
  EXPECT_EQ(of.first.asked.size(), 4u);
  EXPECT_EQ(of.second.asked.size(), 0u);
}

}  // namespace
}  // namespace stateway::store::redis
