#include "store/redis/slot_map.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stateway::store::redis {
namespace {

Reply integer(std::int64_t number) { return {.kind = Reply::Kind::integer, .integer = number}; }
Reply text(std::string octets) { return {.kind = Reply::Kind::text, .text = std::move(octets)}; }
Reply array(std::vector<Reply> elements) {
  return {.kind = Reply::Kind::array, .elements = std::move(elements)};
}
Reply node(std::string host, std::int64_t port) {
  return array({text(std::move(host)), integer(port), text("id")});
}

Address at(std::string host, std::uint16_t port) { return {.host = std::move(host), .port = port}; }
const Address kAsked = at("10.0.0.9", 7009);

TEST(SlotMap, SaysWhoServesASlot) {
  const auto map =
      SlotMap::read(array({array({integer(0), integer(99), node("10.0.0.1", 1), node("10.0.0.4", 4)}),
                           array({integer(200), integer(200), node("::1", 2), node("10.0.0.5", 5)}),
                           array({integer(201), integer(16383), node("10.0.0.1", 1)})}),
                    kAsked);
  ASSERT_TRUE(map.has_value());
  EXPECT_EQ(*map->owner(0), at("10.0.0.1", 1));
  EXPECT_EQ(*map->owner(99), at("10.0.0.1", 1));
  EXPECT_EQ(map->owner(100), nullptr);
  EXPECT_EQ(*map->owner(200), at("::1", 2));
  EXPECT_EQ(*map->owner(16383), at("10.0.0.1", 1));
  EXPECT_EQ(map->masters(), 2u);
  EXPECT_EQ(map->nodes(),
            (std::vector<Address>{at("10.0.0.1", 1), at("::1", 2), at("10.0.0.4", 4), at("10.0.0.5", 5)}));
}

TEST(SlotMap, ANodeWithoutAHostIsWhoWasAskedAndOneWithoutANameIsLeftOut) {
  const auto map = SlotMap::read(
      array({array({integer(0), integer(9), array({Reply{}, integer(1), text("id")}), node("?", 3)}),
             array({integer(10), integer(19), node("?", 2)})}),
      kAsked);
  ASSERT_TRUE(map.has_value());
  EXPECT_EQ(*map->owner(9), at("10.0.0.9", 1));
  EXPECT_EQ(map->owner(10), nullptr);
  EXPECT_EQ(map->nodes().size(), 1u);
}

TEST(SlotMap, WhatIsNoMapIsRefused) {
  const auto of = [](std::int64_t first, std::int64_t last) {
    return array({array({integer(first), integer(last), node("a", 1)})});
  };
  ASSERT_TRUE(SlotMap::read(of(5, 5), kAsked).has_value());
  const Reply bad[] = {{},
                       text("x"),
                       array({}),
                       array({array({integer(0), integer(1)})}),
                       array({array({integer(0), integer(1), array({text("a")})})}),
                       array({array({integer(0), integer(1), array({text("a"), text("1")})})}),
                       of(-1, 5),
                       of(6, 5),
                       of(0, kSlots)};
  for (const Reply& reply : bad) EXPECT_FALSE(SlotMap::read(reply, kAsked).has_value());
}

TEST(SlotMap, AnOwnerIsReplacedByAnotherAndNotByNobody) {
  SlotMap before;
  before.set_owner(7, at("a", 1));
  SlotMap after;
  EXPECT_FALSE(is_an_owner_replaced(before, after));
  EXPECT_FALSE(is_an_owner_replaced(after, before));
  after.set_owner(8, at("b", 1));
  after.set_owner(7, at("a", 1));
  EXPECT_FALSE(is_an_owner_replaced(before, after)) << "numbers are of each map alone";
  after.set_owner(7, at("a", 2));
  EXPECT_TRUE(is_an_owner_replaced(before, after));
}

}  // namespace
}  // namespace stateway::store::redis
