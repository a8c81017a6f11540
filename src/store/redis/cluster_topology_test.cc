#include "store/redis/cluster_topology.h"

#include <gtest/gtest.h>

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

TEST(ClusterTopology, AsksWhoIsKnownInTurnAndTheSeedsAtTheEnd) {
  ClusterTopology topology(all({7001, 7002}));
  EXPECT_EQ(topology.witnesses(), all({7001, 7002}));
  topology.publish(map_of({1, 2, 3}), TimePoint());
  EXPECT_EQ(topology.witnesses(), all({1, 2, 3, 7001, 7002}));
  EXPECT_EQ(topology.witnesses(), all({2, 3, 1, 7001, 7002}));
  EXPECT_EQ(topology.witnesses(), all({3, 1, 2, 7001, 7002}));
}

TEST(ClusterTopology, OneLooksAtATimeAndNotTooOften) {
  ClusterTopology topology(all({7001}));
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
  ClusterTopology topology(all({7001}));
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
  ClusterTopology topology(all({7001}));
  topology.publish(map_of({1, 2}), TimePoint());
  topology.greeted(at(1), "a");
  topology.greeted(at(2), "b");
  topology.greeted(at(1), "a");
  EXPECT_EQ(topology.epoch(), 0u);
  topology.greeted(at(1), "c");
  EXPECT_EQ(topology.epoch(), 1u);
  topology.publish(map_of({2, 2}), TimePoint());
  EXPECT_EQ(topology.epoch(), 2u);
  topology.greeted(at(1), "d");
  EXPECT_EQ(topology.epoch(), 2u) << "it serves nothing";
  topology.greeted(at(2), "e");
  EXPECT_EQ(topology.epoch(), 3u);
}

TEST(ClusterTopology, PartitionsKeepTheirNumbers) {
  ClusterTopology topology(all({7001}));
  EXPECT_EQ(topology.partition(0), 0u);
  topology.publish(map_of({1, 2, 3}), TimePoint());
  EXPECT_EQ(topology.partition(0), 0u);
  EXPECT_EQ(topology.partition(2), 2u);
  topology.publish(map_of({3, 4, 1}), TimePoint());
  EXPECT_EQ(topology.partition(0), 2u);
  EXPECT_EQ(topology.partition(1), 1u) << "a number that is free again";
  EXPECT_EQ(topology.partition(2), 0u);
  topology.moved(2, at(5));
  EXPECT_EQ(topology.partition(0), 2u);
  EXPECT_EQ(topology.partition(2), 3u);
  EXPECT_EQ(topology.partition(9), 0u) << "nobody's";
}

}  // namespace
}  // namespace stateway::store::redis
