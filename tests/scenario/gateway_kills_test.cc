// The gateway itself is killed under load: what it had acknowledged is there when it is back.
#include "cart_load.h"

namespace stateway::scenario {
namespace {

class GatewayKills : public Site {
 protected:
  Lab lab;
  CartWorkload workload;
  std::uint64_t rounds_done = 0;
};

TEST_F(GatewayKills, WithDurabilitySyncNoAcknowledgedItemIsMissing) {
  const std::uint64_t rounds = setting("STATEWAY_SCENARIO_KILLS", 3);
  start(cart_config({.replay = "re-execute", .durability = "sync"}));
  lab::LoadOptions options = cart_load(gateway->clients());
  // Long enough for all rounds: what runs behind the schedule catches up.
  options.duration = std::max<Duration>(options.duration, (rounds * (is_sanitized() ? 3 : 2)) * 1s);
  options.exchange_timeout = 10s;
  lab::Load load(lab.loop, lab.network, options, workload);
  const lab::LoadReport report =
      play(lab, load, kill_again_and_again(lab, *gateway, [this] { restart(false); }, rounds, rounds_done));
  EXPECT_EQ(rounds_done, rounds);
  EXPECT_GT(report.ok, report.turns() / 4) << testing::PrintToString(workload.refusals());
  expect_carts_as_promised(gateway->clients(), load, options.clients, workload);
}

}  // namespace
}  // namespace stateway::scenario
