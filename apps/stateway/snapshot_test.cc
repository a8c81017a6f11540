#include "stateway/snapshot.h"

#include <gtest/gtest.h>

namespace stateway {
namespace {

using session::Placement;

constexpr WallMillis kAbsolute = 3'600'000;

config::Config with(Placement placement) {
  config::Config out;
  out.sessions = {{.name = "cart", .placement = placement, .absolute = std::chrono::milliseconds(kAbsolute)}};
  return out;
}

TEST(Show, RemembersWhereSessionsMayBeFromBefore) {
  admin::InForce shown;
  const auto put = [&](Placement placement, WallMillis now) {
    const config::Config next = with(placement);
    show(shown, next, make_snapshot(next), {}, now);
  };
  put(Placement::client, 1000);
  EXPECT_EQ(shown.outside_of("cart").in_cookies_until, 0) << "those in force say it themselves";
  put(Placement::instance, 2000);
  EXPECT_EQ(shown.outside_of("cart").in_cookies_until, 2000 + kAbsolute);
  put(Placement::store, 3000);
  EXPECT_EQ(shown.outside_of("cart").in_cookies_until, 2000 + kAbsolute);
  EXPECT_EQ(shown.outside_of("cart").at_instances_until, 3000 + kAbsolute);
  put(Placement::store, 2000 + kAbsolute);
  EXPECT_EQ(shown.outside_of("cart").at_instances_until, 3000 + kAbsolute);
  put(Placement::store, 3000 + kAbsolute);
  EXPECT_TRUE(shown.outside.empty()) << "all of them are over";
  EXPECT_EQ(shown.generation, 5u);
}

TEST(Show, AShorterAbsoluteIsForSessionsFromThenOn) {
  admin::InForce shown;
  config::Config longer = with(Placement::client), shorter = with(Placement::client);
  shorter.sessions[0].absolute = std::chrono::milliseconds(1000);
  show(shown, longer, make_snapshot(longer), {}, 1000);
  show(shown, shorter, make_snapshot(shorter), {}, 2000);
  show(shown, shorter, make_snapshot(shorter), {}, 3000);
  EXPECT_EQ(shown.outside_of("cart").in_cookies_until, 2000 + kAbsolute);
}

TEST(Show, TellsTheSettings) {
  admin::InForce shown;
  config::Config next = with(Placement::store);
  next.settings = {{"session.cart", "placement", "store"}};
  show(shown, next, make_snapshot(next), {}, 1000);
  ASSERT_EQ(shown.settings.size(), 1u);
  EXPECT_EQ(shown.settings[0].value, "store");
}

}  // namespace
}  // namespace stateway
