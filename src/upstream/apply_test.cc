// A supervised service follows its roster.
#include <gmock/gmock.h>
#include <signal.h>

#include <set>

#include "upstream/test_supervised.h"

namespace stateway::upstream {
namespace {

using test::Condition;
using test::eventually;
using test::get;
using test::service_options;
using test::World;

bool lives(pid_t pid) { return kill(pid, 0) == 0; }

std::vector<pid_t> pids(const World& w) {
  std::vector<pid_t> out;
  for (const auto& i : w.service.roster()->instances) out.push_back(i->pid());
  return out;
}

std::optional<Lease> lease_of(World& w, std::string_view name) {
  Attempts attempts;
  std::vector<Lease> others;
  while (auto lease = w.on_loop.try_acquire(attempts)) {
    if (lease->instance().name() == name) return lease;
    others.push_back(std::move(*lease));
  }
  return std::nullopt;
}

io::Task<void> scale(World& w) {
  (void)co_await w.all_up();
  const std::vector<pid_t> first = pids(w);
  w.service.scale(4);
  w.supervisor->apply();
  EXPECT_EQ(w.service.roster()->instances.size(), 4u);
  (void)co_await w.all_up();
  const std::vector<pid_t> four = pids(w);
  EXPECT_EQ(four[0], first[0]);
  EXPECT_EQ(four[1], first[1]);

  std::optional<Lease> busy = lease_of(w, "shop-4");
  w.service.scale(1);
  w.supervisor->apply();
  EXPECT_EQ(w.service.find("shop-3")->state(), State::draining);
  const Condition idle_ones_left = [&w] { return w.service.roster()->instances.size() == 2; };
  (void)co_await eventually(w.loop, idle_ones_left);
  EXPECT_TRUE(lives(four[3])) << "it has a request to finish";
  EXPECT_EQ(w.service.find("shop-4")->state(), State::draining);
  for (int i = 0; i < 10; ++i) {
    const std::string pid = co_await get(w, "/pid");
    EXPECT_EQ(pid, std::to_string(four[0]));
  }
  busy.reset();
  const Condition all_left = [&w] { return w.service.roster()->instances.size() == 1; };
  (void)co_await eventually(w.loop, all_left);
  for (std::size_t i = 1; i < 4; ++i) EXPECT_FALSE(lives(four[i]));
  EXPECT_EQ(pids(w), std::vector{four[0]});
  EXPECT_FALSE(w.supervisor->restart("shop-4"));
}

TEST(Apply, ProcessesComeAndGoAndFinishWhatTheyHave) {
  World w(service_options(2));
  w.run(scale(w));
}

io::Task<void> change_of_mind(World& w) {
  (void)co_await w.all_up();
  const std::vector<pid_t> both = pids(w);
  std::optional<Lease> busy = lease_of(w, "shop-2");
  w.service.scale(1);
  w.supervisor->apply();
  EXPECT_FALSE(w.supervisor->restart("shop-2")) << "it leaves";
  w.service.scale(2);
  w.supervisor->apply();
  (void)co_await w.all_up();
  EXPECT_EQ(pids(w), both) << "it was draining still";

  busy.reset();
  w.service.scale(1);
  w.supervisor->apply();
  const Condition ends = [&w] { return w.service.roster()->instances[1]->status().state == State::draining; };
  (void)co_await eventually(w.loop, ends);
  w.service.scale(2);
  w.supervisor->apply();
  (void)co_await w.all_up();
  EXPECT_EQ(pids(w)[0], both[0]);
  EXPECT_NE(pids(w)[1], both[1]) << "it was being ended already, and was started again";
}

TEST(Apply, AnInstanceThatIsWantedAgainStays) {
  World w(service_options(2, {"slow_end"}));
  w.run(change_of_mind(w));
}

io::Task<void> restart_overtaken(World& w) {
  (void)co_await w.all_up();
  const std::vector<pid_t> both = pids(w);
  std::optional<Lease> busy = lease_of(w, "shop-2");
  EXPECT_TRUE(w.supervisor->restart("shop-2"));
  w.service.scale(1);
  w.supervisor->apply();
  w.service.scale(2);
  w.supervisor->apply();
  EXPECT_EQ(pids(w), both) << "its request goes on";
  busy.reset();
  (void)co_await w.all_up();
  EXPECT_EQ(pids(w)[0], both[0]);
  EXPECT_NE(pids(w)[1], both[1]) << "the restart was asked for";

  ServiceOptions changed = w.service.roster()->options;
  changed.command.emplace_back("say=new\n");
  w.service.reconfigure(changed);
  w.supervisor->apply();
  const Condition rolled = [&w] { return w.service.snapshot().rollout.empty(); };
  (void)co_await eventually(w.loop, rolled);
  (void)co_await w.all_up();
  EXPECT_THAT(w.output, testing::IsSupersetOf({"shop-1: new", "shop-2: new"}));
}

TEST(Apply, ARestartThatARemovalOvertookIsMadeWhenItIsWantedAgain) {
  World w(service_options(2));
  w.options.early = 20ms;
  w.run(restart_overtaken(w));
}

io::Task<void> drain_limit(World& w) {
  (void)co_await w.all_up();
  const std::vector<pid_t> both = pids(w);
  const std::optional<Lease> hanging = lease_of(w, "shop-2");
  const TimePoint began = w.loop.now();
  w.service.scale(1);
  w.supervisor->apply();
  const Condition left = [&w] { return w.service.roster()->instances.size() == 1; };
  (void)co_await eventually(w.loop, left);
  EXPECT_GE(w.loop.now() - began, 80ms);
  EXPECT_FALSE(lives(both[1]));
}

TEST(Apply, ARemovedProcessIsWaitedForOnlySoLong) {
  auto options = service_options(2);
  options.drain = std::chrono::milliseconds(80);
  World w(std::move(options));
  w.run(drain_limit(w));
}

/// A change of token, which shows: the processes answer with theirs, and connections carry it.
io::Task<void> roll(World& w, ServiceOptions changed) {
  (void)co_await w.all_up();
  const std::vector<pid_t> old = pids(w);
  changed.token = Secret("new");
  w.service.reconfigure(changed);
  w.supervisor->apply();
  EXPECT_EQ(w.service.snapshot().rollout, "restarting shop-1");
  std::size_t most_down = 0;
  const Condition rolled = [&] {
    std::size_t down = 0;
    for (const auto& i : w.service.roster()->instances) down += i->usable(i->status()) ? 0u : 1u;
    most_down = std::max(most_down, down);
    return w.service.snapshot().rollout.empty();
  };
  (void)co_await eventually(w.loop, rolled, 60s);
  EXPECT_EQ(most_down, 1u);
  for (const pid_t pid : old) EXPECT_FALSE(lives(pid));
  for (int i = 0; i < 6; ++i) {
    const std::string token = co_await get(w, "/token");
    EXPECT_EQ(token, "new");
  }
  for (const auto& i : w.service.roster()->instances) EXPECT_EQ(i->endpoint().token->reveal(), "new");
}

TEST(Apply, AChangedProgramIsRolledOutOneByOne) {
  auto options = service_options(3);
  options.token = Secret("old");
  World w(options);
  w.options.early = 20ms;
  w.run(roll(w, options));
}

io::Task<void> bad_roll(World& w, ServiceOptions good) {
  (void)co_await w.all_up();
  const std::vector<pid_t> old = pids(w);
  ServiceOptions bad = good;
  bad.command.emplace_back("crash");
  w.service.reconfigure(bad);
  w.supervisor->apply();
  const Condition stopped = [&w] { return w.service.snapshot().rollout.starts_with("stopped"); };
  (void)co_await eventually(w.loop, stopped);
  EXPECT_EQ(w.service.snapshot().rollout, "stopped: shop-1 does not come up: exited with status 7");
  (void)co_await w.all_up();  // with what it was before
  EXPECT_NE(pids(w)[0], old[0]);
  EXPECT_EQ(pids(w)[1], old[1]);

  good.command.emplace_back("say=repaired\n");
  w.service.reconfigure(good);
  w.supervisor->apply();
  const Condition rolled = [&w] { return w.service.snapshot().rollout.empty(); };
  (void)co_await eventually(w.loop, rolled);
  EXPECT_THAT(w.output, testing::IsSupersetOf({"shop-1: repaired", "shop-2: repaired"}));
}

TEST(Apply, AProgramThatDoesNotComeUpTakesNobodyDown) {
  const auto options = service_options(2);
  World w(options);
  w.options.early = 20ms;
  w.options.restart_first = 1ms;
  w.run(bad_roll(w, options));
}

io::Task<void> repaired(World& w, ServiceOptions good) {
  const Condition down = [&w] { return w.all(State::down); };
  (void)co_await eventually(w.loop, down);
  w.service.reconfigure(std::move(good));
  w.supervisor->apply();
  (void)co_await w.all_up();
  const Condition rolled = [&w] { return w.service.snapshot().rollout.empty(); };
  (void)co_await eventually(w.loop, rolled);
}

TEST(Apply, ARepairedProgramReplacesOneThatCrashes) {
  World w(service_options(2, {"crash"}));
  w.options.early = 20ms;
  w.options.restart_first = 1ms;
  w.options.restart_longest = 60s;  // so that only the change can be the reason
  w.run(repaired(w, service_options(2)));
}

io::Task<void> stop_in_between(World& w, ServiceOptions options) {
  (void)co_await w.all_up();
  const std::vector<pid_t> old = pids(w);
  const std::optional<Lease> first = lease_of(w, "shop-1");
  const std::optional<Lease> third = lease_of(w, "shop-3");
  options.count = 2;
  options.command.emplace_back("say=x");
  w.service.reconfigure(options);
  w.supervisor->apply();
  co_await w.supervisor->stop(w.loop.now() + 20s);
  for (const pid_t pid : old) EXPECT_FALSE(lives(pid));
  w.supervisor->apply();
  for (const auto& i : w.service.roster()->instances) EXPECT_EQ(i->state(), State::stopped);
}

TEST(Apply, StoppingEndsARolloutAndARetirement) {
  const auto options = service_options(3);
  World w(options);
  w.run(stop_in_between(w, options));
}

}  // namespace
}  // namespace stateway::upstream
