// Two gateways, one Redis Cluster of six, clients that go to either. A master is killed, slots are moved, a
// gateway is killed: what was acknowledged is there, but for what Redis itself may lose, which is told apart.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "fleet.h"
#include "redis_cluster.h"

namespace stateway::scenario {
namespace {

using Slot = stores::RedisCluster::Slot;
using namespace std::chrono;

constexpr auto kNodeTimeout = 1000ms;
// Each master serves a third of the slots when the cluster is new.
constexpr Slot kFirstToMove = 0, kLastToMove = 399, kSlotOfVictim = stores::kClusterSlots - 1;
constexpr std::size_t kReceiver = 1, kVictim = 2;

class FleetOnCluster : public Fleet {
 protected:
  void start_with(std::string_view outage) {
    const std::string store = fmt::format("kind = \"redis\"\nurl = \"redis+cluster://{}\"\n{}",
                                          fmt::join(cluster_.addresses(), ","), outage);
    start(cart_config({.replay = "re-execute", .store = store, .key_file = keys(), .instances = 2}));
    for (Front& front : fronts) front.wait_until_all_are_up();
  }

  void run() {
    options_ = cart_load(fronts[0].gateway->clients());
    options_.others = {fronts[1].gateway->clients()};
    options_.clients = 100;
    options_.rate = static_cast<double>(setting("STATEWAY_SCENARIO_RATE", is_sanitized() ? 100 : 300));
    options_.seed = setting("STATEWAY_SCENARIO_SEED", 1);
    options_.duration = 4min;  // ended by trouble()
    options_.exchange_timeout = 10s;
    load_ = std::make_unique<lab::Load>(lab_.loop, lab_.network, options_, workload_);
    const lab::LoadReport report = play(lab_, *load_, trouble());
    ASSERT_TRUE(over_) << "the load ended before all had happened";
    EXPECT_GT(report.ok, report.turns() / 2) << testing::PrintToString(workload_.refusals());
    cluster_.wait_until_healthy();
  }

  /// Acknowledged items that neither gateway finds.
  std::vector<std::string> missing() {
    const auto of = [&](Front& front) {
      return missing_items(front.gateway->clients(), *load_, options_.clients, workload_);
    };
    const std::vector<std::string> one = of(fronts[0]), other = of(fronts[1]);
    EXPECT_EQ(one, other);
    return one;
  }

  /// What Redis may lose by its own account: what a master had acknowledged and not yet sent to its replica
  /// when it died, and that is less than the cluster's node timeout before.
  void expect_lost_to_replication_alone(const std::vector<std::string>& items) {
    milliseconds oldest{0};
    for (const std::string& item : items) {
      const auto before = duration_cast<milliseconds>(killed_ - workload_.acknowledged_at(item));
      EXPECT_GE(before, -kNodeTimeout) << item;
      EXPECT_LE(before, kNodeTimeout) << item << " was acknowledged long before the master died";
      oldest = std::max(oldest, before);
    }
    std::cout << fmt::format(
        "lost by asynchronous replication: {} of {} acknowledged, the oldest {} ms before\n", items.size(),
        workload_.ledger().count(lab::Write::acknowledged), oldest.count());
  }

 private:
  // Everything that is to go wrong, one after the other while the load runs; then its end.
  io::Task<void> trouble() {
    const TimePoint end = lab_.loop.now() + seconds(setting("STATEWAY_SCENARIO_SECONDS", 6));
    // tidy: sleep: the load runs meanwhile.
    co_await io::sleep_for(lab_.loop, 1s);
    auto move = [this] { return told([this] { cluster_.move(kFirstToMove, kLastToMove, kReceiver); }); };
    EXPECT_EQ(co_await operator_.run(lab_.loop, std::move(move)), "");
    auto kill = [this] {
      return told([this] {
        killed_ = steady_clock::now();
        cluster_.node(kVictim).kill();
        cluster_.wait_for_another_master(kSlotOfVictim, kVictim);
      });
    };
    EXPECT_EQ(co_await operator_.run(lab_.loop, std::move(kill)), "");
    std::uint64_t killed = 0;
    for (std::size_t i = 1; killed == 0 || lab_.loop.now() < end; ++i) {
      Front& front = fronts[i % fronts.size()];
      co_await kill_again_and_again(lab_, *front.gateway, [&front] { front.restart(false); }, 1, killed);
      if (killed == 0) break;
    }
    over_ = killed > 0;
    load_->stop();
  }

  // What went wrong, or nothing: an exception must not leave the operator's thread.
  template <class F>
  static std::string told(F what) {
    try {
      what();
      return {};
    } catch (const std::exception& error) {
      return error.what();
    }
  }

  stores::RedisCluster cluster_{{.node_timeout = kNodeTimeout}};
  Lab lab_;
  io::Worker operator_{"operator"};  // blocks while the load goes on
  lab::LoadOptions options_;
  CartWorkload workload_{{"outcome-unknown", "store-unavailable"}};
  std::unique_ptr<lab::Load> load_;
  TimePoint killed_{};
  bool over_ = false;
};

TEST_F(FleetOnCluster, NoAcknowledgedItemIsMissingButWhatRedisMayLose) {
  start_with("");
  run();
  expect_lost_to_replication_alone(missing());
}

TEST_F(FleetOnCluster, WithTheJournalNoneIsMissingAtAll) {
  start_with("on_outage = \"journal\"\njournal = \"@DIR@/journal\"");
  run();
  for (Front& front : fronts) eventually([&] { return front.status_number("pending") == 0; });
  EXPECT_THAT(missing(), testing::IsEmpty());
}

}  // namespace
}  // namespace stateway::scenario
