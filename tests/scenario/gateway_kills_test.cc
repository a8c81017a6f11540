// The gateway itself is killed under load: what it had acknowledged is there when it is back.
#include "cart_load.h"

namespace stateway::scenario {
namespace {

class GatewayKills : public Site {
 protected:
  // Kills the gateway and starts it again, `rounds` times; each time it serves for a while between.
  static io::Task<void> kill_again_and_again(GatewayKills& test, std::uint64_t rounds) {
    for (test.rounds_done = 0; test.rounds_done < rounds; ++test.rounds_done) {
      // tidy: sleep: the load runs meanwhile.
      co_await io::sleep_for(test.lab.loop, 700ms);
      test.gateway->kill();
      test.restart(false);
      const auto ready =
          co_await test.gateway->ready(test.lab.loop, test.lab.network, test.lab.loop.now() + 30s);
      EXPECT_TRUE(ready.has_value());
      if (!ready) co_return;
    }
  }

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
  const lab::LoadReport report = play(lab, load, kill_again_and_again(*this, rounds));
  EXPECT_EQ(rounds_done, rounds);
  EXPECT_GT(report.ok, report.turns() / 4) << testing::PrintToString(workload.refusals());
  expect_carts_as_promised(gateway->clients(), load, options.clients, workload);
}

}  // namespace
}  // namespace stateway::scenario
