// Instances are killed under load. What may fail is what was sent to the one that died, and only where the
// route does not allow to send it again.
#include "cart_load.h"

namespace stateway::scenario {
namespace {

class InstanceKills : public Site {
 protected:
  lab::LoadReport run(std::string_view replay) {
    start(cart_config({.replay = replay}));
    wait_until_all_are_up();
    const lab::LoadOptions options = cart_load(gateway->clients());
    load = std::make_unique<lab::Load>(lab.loop, lab.network, options, workload);
    lab::LoadReport report = play(lab, *load, killer().run());
    std::cout << killer_->kills() << " instances were killed\n";
    EXPECT_GE(killer_->kills(), static_cast<std::uint64_t>(options.duration / 1s) / 2);
    expect_carts_as_promised(gateway->clients(), *load, options.clients, workload);
    return report;
  }

  lab::Killer& killer() {
    targets_ = std::make_unique<lab::ServiceTargets>(lab.loop, lab.network, gateway->admin(), "shop");
    killer_ = std::make_unique<lab::Killer>(lab.loop, *targets_, random_, kPlan);
    return *killer_;
  }

  // Frozen for a moment before it dies: so each kill finds requests that were sent and not answered.
  static constexpr lab::KillPlan kPlan{.every = 1s, .freeze = 50ms};

  Lab lab;
  CartWorkload workload;
  std::unique_ptr<lab::Load> load;

 private:
  SeededRandom random_{setting("STATEWAY_SCENARIO_SEED", 1)};
  std::unique_ptr<lab::ServiceTargets> targets_;
  std::unique_ptr<lab::Killer> killer_;
};

TEST_F(InstanceKills, WithReExecuteNoRequestFailsAndNoItemIsMissingOrThereTwice) {
  const lab::LoadReport report = run("re-execute");
  EXPECT_EQ(report.ok, report.turns()) << testing::PrintToString(workload.refusals());
}

TEST_F(InstanceKills, ByDefaultOnlyWhatWasSentToTheKilledInstanceFailsAndNothingArrivesTwice) {
  const lab::LoadReport report = run("reject");
  for (const auto& [answer, times] : workload.refusals()) EXPECT_EQ(answer, "502 outcome-unknown") << times;
  EXPECT_GT(workload.ledger().count(lab::Write::indeterminate), 0u)
      << "no kill hit a request: this proved nothing";
  EXPECT_EQ(report.indeterminate, 0u);
  EXPECT_EQ(report.not_sent, 0u);
  const std::size_t arrived = expect_each_change_arrived_once(lab::read_file(folder / "journal"));
  EXPECT_GE(arrived, report.ok);
  EXPECT_LE(arrived, report.turns());
}

}  // namespace
}  // namespace stateway::scenario
