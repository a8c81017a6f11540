#include "store/redis/cluster_topology.h"

#include <gtest/gtest.h>

#include <set>

namespace stateway::store::redis {
namespace {

Address at(std::uint16_t port) { return {.host = "10.0.0.1", .port = port}; }
std::vector<Address> all(std::initializer_list<std::uint16_t> ports) {
  std::vector<Address> out;
  for (const auto port : ports) out.push_back(at(port));
  return out;
}

/// Slots 0, 1, 2, … of the nodes at these ports.
SlotMap map_of(std::initializer_list<std::uint16_t> ports) {
  SlotMap map;
  Slot slot = 0;
  for (const auto port : ports) map.set_owner(slot++, at(port));
  return map;
}

ServerFacts process(std::string run_id) {
  return {.version = "7.0.15", .run_id = std::move(run_id), .mode = "cluster", .role = "master"};
}

/// A key of the slot.
std::string key_of(Slot slot) {
  for (int i = 0;; ++i)
    if (std::string key = std::to_string(i); slot_of(key) == slot) return key;
}

TEST(ClusterTopology, AsksWhoIsKnownInTurnAndTheSeedsAtTheEnd) {
  ClusterTopology topology(all({7001, 7002}), Access());
  EXPECT_EQ(topology.witnesses(), all({7001, 7002}));
  topology.publish(map_of({1, 2, 3}), TimePoint());
  EXPECT_EQ(topology.witnesses(), all({1, 2, 3, 7001, 7002}));
  EXPECT_EQ(topology.witnesses(), all({2, 3, 1, 7001, 7002}));
  EXPECT_EQ(topology.witnesses(), all({3, 1, 2, 7001, 7002}));
}

TEST(ClusterTopology, OneLooksAtATimeAndNotTooOften) {
  ClusterTopology topology(all({7001}), Access());
  const TimePoint start{};
  EXPECT_TRUE(topology.begin_refresh(start));
  EXPECT_FALSE(topology.begin_refresh(start + 1s)) << "one is under way";
  topology.give_up(start + 1s);
  EXPECT_FALSE(topology.begin_refresh(start + 1s + ClusterTopology::kPause - 1ms));
  EXPECT_TRUE(topology.begin_refresh(start + 1s + ClusterTopology::kPause));
  topology.publish(map_of({1}), start + 2s);
  EXPECT_FALSE(topology.begin_refresh(start + 2s));
  EXPECT_TRUE(topology.begin_refresh(start + 3s));
}

TEST(ClusterTopology, TheEpochIsAnotherOnceASlotHasAnotherOwner) {
  ClusterTopology topology(all({7001}), Access());
  topology.publish(map_of({1, 2}), TimePoint());
  EXPECT_EQ(topology.epoch(), 0u) << "nobody answered before";
  const auto version = topology.version();
  topology.publish(map_of({1, 2, 3}), TimePoint());
  EXPECT_EQ(topology.epoch(), 0u);
  EXPECT_NE(topology.version(), version);
  topology.publish(map_of({1, 9, 3}), TimePoint());
  EXPECT_EQ(topology.epoch(), 1u);
  topology.moved(0, at(3));
  EXPECT_EQ(topology.epoch(), 2u);
  EXPECT_EQ(*topology.map()->owner(0), at(3));
  const auto latest = topology.version();
  topology.moved(0, at(3));
  EXPECT_EQ(topology.epoch(), 2u) << "told again";
  EXPECT_EQ(topology.version(), latest);
}

TEST(ClusterTopology, TheEpochIsAnotherOnceANodeIsAnotherProcess) {
  ClusterTopology topology(all({7001}), Access());
  topology.publish(map_of({1, 2}), TimePoint());
  ASSERT_TRUE(topology.greeted(at(1), process("a")));
  ASSERT_TRUE(topology.greeted(at(2), process("b")));
  ASSERT_TRUE(topology.greeted(at(1), process("a")));
  EXPECT_EQ(topology.epoch(), 0u);
  ASSERT_TRUE(topology.greeted(at(1), process("c")));
  EXPECT_EQ(topology.epoch(), 1u);
  topology.publish(map_of({2, 2}), TimePoint());
  EXPECT_EQ(topology.epoch(), 2u);
  ASSERT_TRUE(topology.greeted(at(1), process("d")));
  EXPECT_EQ(topology.epoch(), 2u) << "it serves nothing";
  ASSERT_TRUE(topology.greeted(at(2), process("e")));
  EXPECT_EQ(topology.epoch(), 3u);
}

TEST(ClusterTopology, PartitionsKeepTheirNumbers) {
  ClusterTopology topology(all({7001}), Access());
  EXPECT_EQ(topology.partition(key_of(0)), 0u);
  topology.publish(map_of({1, 2, 3}), TimePoint());
  EXPECT_EQ(topology.partition(key_of(0)), 0u);
  EXPECT_EQ(topology.partition(key_of(2)), 2u);
  topology.publish(map_of({3, 4, 1}), TimePoint());
  EXPECT_EQ(topology.partition(key_of(0)), 2u);
  EXPECT_EQ(topology.partition(key_of(1)), 1u) << "a number that is free again";
  EXPECT_EQ(topology.partition(key_of(2)), 0u);
  topology.moved(2, at(5));
  EXPECT_EQ(topology.partition(key_of(0)), 2u);
  EXPECT_EQ(topology.partition(key_of(2)), 3u);
  EXPECT_EQ(topology.partition(key_of(9)), 0u) << "nobody's";
}

TEST(ClusterTopology, NodesAreChecked) {
  ClusterTopology topology(all({7001}), Access());
  ServerFacts facts = process("a");
  ASSERT_TRUE(topology.greeted(at(1), facts));
  facts.role = "slave";
  EXPECT_TRUE(topology.greeted(at(2), facts));

  const auto refused = [&](const ServerFacts& what) { return topology.greeted(at(3), what).error().code; };
  facts.loading = true;
  EXPECT_EQ(refused(facts), Code::store_unavailable);
  facts = process("a");
  facts.mode = "standalone";
  EXPECT_EQ(refused(facts), Code::invalid_argument);
  facts.mode = facts.role = "sentinel";
  EXPECT_EQ(refused(facts), Code::invalid_argument);
  facts = process("a");
  facts.role = "slave";
  facts.memory_max = 1;
  facts.eviction = "allkeys-lru";
  EXPECT_EQ(refused(facts), Code::invalid_argument) << "it may become a master";
}

TEST(ClusterTopology, HasAKeyOfEachOwner) {
  ClusterTopology topology(all({7001}), Access());
  EXPECT_TRUE(topology.probes().empty());
  topology.publish(map_of({1, 2, 1, 3}), TimePoint());
  topology.moved(2, at(4));
  std::set<std::size_t> partitions;
  for (const std::string& key : topology.probes()) partitions.insert(topology.partition(key));
  EXPECT_EQ(topology.probes().size(), 4u);
  EXPECT_EQ(partitions.size(), 4u);
}

}  // namespace
}  // namespace stateway::store::redis
