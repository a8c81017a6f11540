#include "store/redis/cluster_router.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "store/redis/test_server.h"

namespace stateway::store::redis {
namespace {

using test::Server;
using test::Words;
using test::World;
using testing::HasSubstr;

/// Three nodes at ports 7000, 7001, 7002, who say that slots are theirs as `owner` says.
struct FakeCluster {
  static constexpr std::size_t kNodes = 3;

  explicit FakeCluster(World& w) : world(w) {
    for (std::size_t i = 0; i < kNodes; ++i) start(i);
  }
  static Address at(std::size_t node) {
    return {.host = "10.0.0.2", .port = static_cast<std::uint16_t>(7000 + node)};
  }
  void start(std::size_t i) {
    nodes[i] = std::make_unique<Server>(world.loop, world.host, at(i));
    std::string& info = nodes[i]->info;
    info.replace(info.find("standalone"), 10, "cluster");
    info.replace(info.find("0123456789abcdef"), 16, fmt::format("run-{}-{}", i, ++starts));
    nodes[i]->answer = [this, i](const Words& words) { return answer(i, words); };
  }
  void kill(std::size_t i) { nodes[i].reset(); }
  std::string map() const {
    return fmt::format("*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$8\r\n10.0.0.2\r\n:{}\r\n$1\r\nx\r\n",
                       at(owner).port);
  }
  std::string answer(std::size_t node, const Words& words) {
    if (words[0] == "CLUSTER") return maps_asked++, map();
    if (words[0] == "ASKING" || words[0] == "CLIENT" || !says) return "+OK\r\n";
    return says(node, words);
  }
  /// How often the node was asked for anything but the map.
  std::size_t commands_at(std::size_t node) const {
    std::size_t count = 0;
    for (const Words& words : nodes[node]->asked) count += words[0] == "CLUSTER" ? 0 : 1;
    return count;
  }
  static std::string moved(std::size_t to) { return fmt::format("-MOVED 5 10.0.0.2:{}\r\n", 7000 + to); }
  static std::string ask(std::size_t to) { return fmt::format("-ASK 5 10.0.0.2:{}\r\n", 7000 + to); }

  World& world;
  std::array<std::unique_ptr<Server>, kNodes> nodes;
  std::size_t owner = 0;  // of all slots, in the map
  std::function<std::string(std::size_t node, const Words&)> says;
  int maps_asked = 0;
  int starts = 0;
};

/// A key of slot 5, which is what FakeCluster talks of.
const std::string& key() {
  static const std::string found = [] {
    for (int i = 0;; ++i)
      if (slot_of(std::to_string(i)) == 5) return std::to_string(i);
  }();
  return found;
}

struct Client {
  explicit Client(World& w, std::vector<Address> seeds = {FakeCluster::at(0), FakeCluster::at(1)})
      : world(w), topology(std::move(seeds), Access()), router(w.loop, w.client, topology) {}

  static io::Task<void> asking(Client& client, Request request, Duration limit, Result<Answer>& out) {
    out = co_await client.router.ask(std::move(request), client.world.loop.now() + limit);
  }
  Result<Answer> ask(Duration limit = 2s, bool repeatable = true) {
    Request request{.key = key(), .command = format_command({"GET", key()}), .repeatable = repeatable};
    Result<Answer> out;
    world.run(asking(*this, std::move(request), limit, out));
    return out;
  }
  std::string text(Duration limit = 2s) {
    const auto answer = ask(limit);
    return answer ? answer->reply.text : "failed: " + answer.error().context;
  }

  World& world;
  ClusterTopology topology;
  ClusterRouter router;
};

TEST(ClusterRouter, CommandsGoToWhoServesTheSlot) {
  World w;
  FakeCluster cluster(w);
  cluster.owner = 2;
  cluster.says = [](std::size_t node, const Words& words) {
    return fmt::format("+{} of {}\r\n", words[0], node);
  };
  Client client(w);
  const auto first = client.ask();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->reply.text, "GET of 2");
  EXPECT_EQ(first->server, server_number("run-2-3"));
  EXPECT_EQ(client.text(), "GET of 2");
  EXPECT_EQ(cluster.maps_asked, 1);
  EXPECT_EQ(client.topology.epoch(), 0u);
  EXPECT_EQ(cluster.commands_at(0) + cluster.commands_at(1), 0u);
}

TEST(ClusterRouter, ErrorsOfACommandAreItsReply) {
  World w;
  FakeCluster cluster(w);
  Client client(w);
  for (const std::string error : {"NOSCRIPT No matching script.", "WRONGTYPE x", "ERR MOVED 5 10.0.0.2:7001",
                                  "CROSSSLOT Keys in request don't hash to the same slot"}) {
    cluster.says = [&](std::size_t, const Words&) { return "-" + error + "\r\n"; };
    const auto answer = client.ask();
    ASSERT_TRUE(answer.has_value());
    EXPECT_TRUE(answer->reply.is_error());
    EXPECT_EQ(answer->reply.text, error);
  }
  EXPECT_EQ(cluster.commands_at(0), 4u);
}

TEST(ClusterRouter, AfterMovedTheNewOwnerIsUsedAndTheMapIsAskedOnce) {
  World w;
  FakeCluster cluster(w);
  Client client(w);
  ASSERT_EQ(client.text(), "OK");
  cluster.owner = 1;
  cluster.says = [](std::size_t node, const Words&) {
    return node == 1 ? "+moved\r\n" : FakeCluster::moved(1);
  };
  static constexpr auto many = [](Client& c) -> io::Task<void> {
    constexpr std::size_t kCommands = 100;
    std::vector<Result<Answer>> results(kCommands);
    io::TaskGroup group;
    for (auto& result : results) {
      Request request{.key = key(), .command = format_command({"GET", key()})};
      group.spawn(Client::asking(c, std::move(request), 2s, result));
    }
    co_await group.drained();
    for (const auto& result : results) EXPECT_TRUE(result && result->reply.text == "moved");
  };
  const int maps = cluster.maps_asked;
  const auto start = w.loop.now() + ClusterTopology::kPause;
  static constexpr auto later = [](World& world) -> io::Task<void> { co_await world.pass(200ms); };
  w.run(later(w));
  EXPECT_GT(w.loop.now(), start);
  w.run(many(client));
  EXPECT_EQ(cluster.maps_asked - maps, 1);
  EXPECT_EQ(cluster.commands_at(1), 100u);
  EXPECT_EQ(cluster.commands_at(0), 101u);
  EXPECT_EQ(client.text(), "moved");
  EXPECT_EQ(cluster.commands_at(0), 101u) << "the map says it now";
  EXPECT_EQ(client.topology.epoch(), 2u) << "for slot 5, and then for the others";
}

TEST(ClusterRouter, AskIsForOneCommand) {
  World w;
  FakeCluster cluster(w);
  Client client(w);
  cluster.says = [](std::size_t node, const Words&) {
    return node == 1 ? "+there\r\n" : FakeCluster::ask(1);
  };
  EXPECT_EQ(client.text(), "there");
  EXPECT_EQ(client.text(), "there");
  EXPECT_EQ(cluster.nodes[1]->asked,
            (std::vector<Words>{{"ASKING"}, {"GET", key()}, {"ASKING"}, {"GET", key()}}));
  EXPECT_EQ(cluster.commands_at(0), 2u) << "the slot is still its own";
  EXPECT_EQ(cluster.maps_asked, 1);
  EXPECT_EQ(client.topology.epoch(), 0u);

  static constexpr auto two = [](Client& c) -> io::Task<void> {
    Request request{.key = key(),
                    .command = format_command({"GET", key()}) + format_command({"WAIT", "1", "0"}),
                    .replies = 2,
                    .waits = true};
    const auto answer = co_await c.router.ask(std::move(request), c.world.loop.now() + 2s);
    EXPECT_TRUE(answer.has_value());
    EXPECT_EQ(answer.value().reply.elements.size(), 2u);
  };
  w.run(two(client));
}

TEST(ClusterRouter, WhatPassesIsTriedAgain) {
  for (const std::string error :
       {"TRYAGAIN Multiple keys request during rehashing of slot", "NOREPLICAS x",
        "CLUSTERDOWN The cluster is down", "LOADING x", "MASTERDOWN x", "READONLY x", "MOVED 5 ?:7001",
        "ERR Error running script (call to f_0): @user_script:1: @user_script: 1: -CLUSTERDOWN x "}) {
    World w;
    FakeCluster cluster(w);
    Client client(w);
    int times = 3;
    cluster.says = [&](std::size_t, const Words&) { return times-- > 0 ? "-" + error + "\r\n" : "+OK\r\n"; };
    EXPECT_EQ(client.text(), "OK") << error;
    EXPECT_EQ(cluster.commands_at(0), 4u) << error;
    times = 1 << 30;
    const auto answer = client.ask(1s);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, Code::store_unavailable);
    // The last attempt may be under way at the deadline.
    const std::string word = error.substr(0, error.find(' '));
    const bool refused = answer.error().context.contains(word);
    if (!refused) EXPECT_THAT(answer.error().context, HasSubstr("no answer in time"));
    EXPECT_EQ(answer.error().retry, refused ? Retry::always : Retry::never) << error;
    EXPECT_LT(cluster.commands_at(0), 50u) << "with pauses: " << error;
    EXPECT_LT(cluster.maps_asked, 15) << error;
  }
}

TEST(ClusterRouter, NodesThatDisagreeAreAskedWithPauses) {
  World w;
  FakeCluster cluster(w);
  Client client(w);
  cluster.says = [](std::size_t node, const Words&) { return FakeCluster::moved(1 - node); };
  EXPECT_THAT(client.text(1s), HasSubstr("MOVED 5"));
  EXPECT_LT(cluster.commands_at(0) + cluster.commands_at(1), 150u);
}

TEST(ClusterRouter, WhenAMasterDiesItsHeirIsFound) {
  World w;
  FakeCluster cluster(w);
  cluster.says = [](std::size_t node, const Words&) { return fmt::format("+{}\r\n", node); };
  Client client(w);
  ASSERT_EQ(client.text(), "0");
  cluster.kill(0);
  EXPECT_THAT(client.text(500ms), HasSubstr("10.0.0.2:7000")) << "no heir yet";
  cluster.owner = 2;
  EXPECT_EQ(client.text(), "2");
  EXPECT_EQ(client.topology.epoch(), 1u);
  cluster.start(0);
  EXPECT_EQ(client.text(), "2");
  cluster.owner = 1;
  cluster.kill(2);
  EXPECT_EQ(client.text(), "1") << "who is known but dead does not keep the seeds from being asked";
  EXPECT_EQ(client.topology.epoch(), 2u);
}

TEST(ClusterRouter, AMuteMasterIsLeftForItsHeir) {
  World w;
  FakeCluster cluster(w);
  cluster.says = [](std::size_t node, const Words&) { return fmt::format("+{}\r\n", node); };
  Client client(w);
  ASSERT_EQ(client.text(), "0");
  cluster.nodes[0]->mute = true;
  cluster.owner = 2;
  EXPECT_EQ(client.text(4s), "2");
}

TEST(ClusterRouter, ANodeThatIsAnotherProcessMakesAnotherEpoch) {
  World w;
  FakeCluster cluster(w);
  Client client(w);
  const auto before = client.ask();
  cluster.kill(0);
  cluster.start(0);
  const auto after = client.ask();
  ASSERT_TRUE(before && after);
  EXPECT_NE(before->server, after->server);
  EXPECT_EQ(client.topology.epoch(), 1u);
}

TEST(ClusterRouter, WhatMustNotBeRepeatedIsNot) {
  World w;
  FakeCluster cluster(w);
  Client client(w);
  ASSERT_EQ(client.text(), "OK");
  cluster.says = [](std::size_t, const Words&) { return std::string(); };
  const auto answer = client.ask(10s, false);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, Code::store_unavailable);
  EXPECT_EQ(answer.error().retry, Retry::never);
  EXPECT_EQ(cluster.commands_at(0), 2u);
  EXPECT_FALSE(client.ask(10s, true).has_value());
  EXPECT_GT(cluster.commands_at(0), 4u);
}

TEST(ClusterRouter, SaysWhetherThereIsAClusterAtAll) {
  static constexpr auto ready = [](Client& c, Result<void>& out) -> io::Task<void> {
    out = co_await c.router.ready(c.world.loop.now() + 2s);
  };
  World w;
  FakeCluster cluster(w);
  const auto says = [&](std::vector<Address> seeds) {
    Client client(w, std::move(seeds));
    Result<void> out;
    w.run(ready(client, out));
    return out;
  };
  EXPECT_TRUE(says({FakeCluster::at(1)}).has_value());
  EXPECT_TRUE(says({FakeCluster::at(9), FakeCluster::at(1)}).has_value());
  const auto nobody = says({FakeCluster::at(9)});
  ASSERT_FALSE(nobody.has_value());
  EXPECT_EQ(nobody.error().code, Code::store_unavailable);
  EXPECT_THAT(nobody.error().context, HasSubstr("10.0.0.2:7009"));
  cluster.owner = 9;
  EXPECT_THAT(says({FakeCluster::at(1)}).error().context, HasSubstr("10.0.0.2:7009")) << "a dead master";
  cluster.nodes[1]->info = Server::kInfo;
  const auto alone = says({FakeCluster::at(1)});
  ASSERT_FALSE(alone.has_value());
  EXPECT_EQ(alone.error().code, Code::invalid_argument);
  EXPECT_THAT(alone.error().context, HasSubstr("write redis://"));
}

}  // namespace
}  // namespace stateway::store::redis
