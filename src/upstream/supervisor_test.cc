#include "upstream/supervisor.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "upstream/test_supervised.h"

namespace stateway::upstream {
namespace {

using test::Condition;
using test::eventually;
using test::get;
using test::service_options;
using test::World;

bool lives(pid_t pid) { return kill(pid, 0) == 0; }

io::Task<void> serves(World& w) {
  (void)co_await w.all_up();
  const std::string pid = co_await get(w, "/pid");
  EXPECT_EQ(pid, std::to_string(w.instance().pid()));
  const std::string token = co_await get(w, "/token");
  EXPECT_EQ(token, "s3cret");
  const Condition spoken = [&w] { return w.output.size() == 2; };
  (void)co_await eventually(w.loop, spoken);
  EXPECT_THAT(w.output, testing::ElementsAre("shop-1: hello", "shop-1: world"));
  const InstanceSnapshot snapshot = w.instance().snapshot();
  EXPECT_EQ(snapshot.restarts, 0u);
  EXPECT_EQ(snapshot.address, to_string(w.instance().address()));

  const pid_t process = w.instance().pid();
  co_await w.supervisor->stop(w.loop.now() + 20s);
  EXPECT_EQ(w.instance().state(), State::stopped);
  EXPECT_FALSE(lives(process));
}

TEST(Supervisor, StartsOnAUnixSocketAndStops) {
  auto options = service_options(1, {"say=hello\nworld\n"});
  options.token = Secret("s3cret");
  World w(std::move(options));
  w.run(serves(w));
}

TEST(Supervisor, StartsOnAPortAndStops) {
  auto options = service_options(1, {"say=hello\nworld\n"});
  options.token = Secret("s3cret");
  options.socket = false;
  World w(std::move(options));
  w.run(serves(w));
}

TEST(Supervisor, WithoutHealthAConnectWillDo) {
  auto options = service_options(1, {"say=hello\nworld\n"});
  options.token = Secret("s3cret");
  options.health.reset();
  World w(std::move(options));
  w.run(serves(w));
}

/// Requests that find every instance dead wait and are served by the next ones.
io::Task<void> kill_all(World& w) {
  (void)co_await w.all_up();
  struct Request {
    static io::Task<void> run(World& world, int& served) {
      Attempts attempts;
      auto lease = co_await world.on_loop.acquire(attempts, world.loop.now() + 30s);
      if (!lease) co_return;
      auto connection = co_await lease->connect();
      if (!connection) {  // its death was not known yet
        auto second = co_await world.on_loop.acquire(attempts, world.loop.now() + 30s);
        if (!second) co_return;
        connection = co_await second->connect();
      }
      if (connection) ++served;
    }
  };
  std::vector<pid_t> old;
  for (const auto& i : w.service.roster()->instances) old.push_back(i->pid());
  for (const pid_t pid : old) kill(pid, SIGKILL);
  const Condition noticed = [&w] { return !w.service.available(); };
  (void)co_await eventually(w.loop, noticed);
  int served = 0;
  io::TaskGroup requests;
  for (int i = 0; i < 20; ++i) requests.spawn(Request::run(w, served));
  EXPECT_EQ(w.service.waiting(), 20u);
  co_await requests.drained();
  EXPECT_EQ(served, 20);
  (void)co_await w.all_up();
  for (const pid_t pid : old) EXPECT_FALSE(lives(pid));
  for (const auto& i : w.service.roster()->instances) {
    EXPECT_EQ(i->snapshot().restarts, 1u);
    EXPECT_EQ(i->snapshot().last_error, "killed by signal 9 (SIGKILL)");
  }
}

TEST(Supervisor, KilledInstancesAreRestartedAndTheQueueIsServed) {
  World w(service_options(2));
  w.run(kill_all(w));
}

io::Task<void> sick_and_well(World& w, std::string sick) {
  (void)co_await w.all_up();
  std::ofstream(sick) << "x";
  const Condition down = [&w] { return w.all(State::down); };
  (void)co_await eventually(w.loop, down);
  EXPECT_EQ(w.instance().snapshot().last_error, "/healthz answered 503");
  EXPECT_EQ(w.instance().snapshot().restarts, 0u) << "unhealthy is no reason to kill";
  std::filesystem::remove(sick);
  (void)co_await w.all_up();
}

TEST(Supervisor, UnhealthyIsOutAndHealthyIsIn) {
  const std::string sick = testing::TempDir() + "/stateway-sick-" + std::to_string(getpid());
  World w(service_options(1, {"sick=" + sick}));
  w.run(sick_and_well(w, sick));
}

/// While it fails, nobody waits longer for it than for any instance that is down.
io::Task<void> crashes(World& w, unsigned limit) {
  const Condition failing = [&w, limit] {
    return w.instance().failing() && w.instance().snapshot().restarts >= limit + 1;
  };
  (void)co_await eventually(w.loop, failing);
  const std::uint64_t before = w.instance().snapshot().restarts;
  const Condition tried_again = [&w, before] {
    EXPECT_EQ(w.instance().state(), State::down);
    EXPECT_FALSE(w.service.starting());
    return w.instance().snapshot().restarts >= before + 2;
  };
  (void)co_await eventually(w.loop, tried_again);
  const Condition pausing = [&w] { return w.instance().snapshot().next_start != 0; };
  (void)co_await eventually(w.loop, pausing);
  const InstanceSnapshot snapshot = w.instance().snapshot();
  EXPECT_EQ(snapshot.last_error, "exited with status 7");
  EXPECT_EQ(snapshot.pid, 0);
  Attempts attempts;
  auto lease = co_await w.on_loop.acquire(attempts, io::kNoDeadline);
  EXPECT_FALSE(lease);
  if (!lease) EXPECT_EQ(lease.error().code, Code::no_instance);
}

TEST(Supervisor, OneThatAlwaysCrashesIsDownAndPausesGrow) {
  auto options = service_options(1, {"crash"});
  options.timeout.connect = std::chrono::milliseconds(20);
  World w(std::move(options));
  w.options.restart_first = 4ms;
  const TimePoint began = w.loop.now();
  w.run(crashes(w, 5));
  EXPECT_GE(w.loop.now() - began, 4ms + 8ms + 16ms + 32ms + 64ms + 128ms);
}

TEST(Supervisor, WhatCountsAsACrashLoopIsConfigured) {
  auto options = service_options(1, {"crash"});
  options.crash_limit = 2;
  options.timeout.connect = std::chrono::milliseconds(20);
  World w(std::move(options));
  w.options.restart_first = 4ms;
  w.run(crashes(w, 2));
}

io::Task<void> crash_then_repair(World& w, std::string broken) {
  const Condition failing = [&w] { return w.instance().failing(); };
  (void)co_await eventually(w.loop, failing);
  std::filesystem::remove(broken);
  (void)co_await w.all_up();
  EXPECT_FALSE(w.instance().failing());
  EXPECT_EQ(w.instance().snapshot().next_start, 0);
  const pid_t old = w.instance().pid();
  kill(old, SIGKILL);
  const Condition noticed = [&w, old] { return w.instance().pid() != old; };
  (void)co_await eventually(w.loop, noticed);
  EXPECT_TRUE(w.service.starting() || w.service.available()) << "one death is no crash loop any more";
  (void)co_await w.all_up();
}

TEST(Supervisor, ARepairedProgramComesUpByItself) {
  const std::string broken = testing::TempDir() + "/stateway-broken-" + std::to_string(getpid());
  std::ofstream(broken) << "x";
  auto options = service_options(1, {"crash_if=" + broken});
  World w(std::move(options));
  w.options.restart_first = 1ms;
  w.options.restart_longest = 50ms;
  w.options.early = 1ms;
  w.run(crash_then_repair(w, broken));
}

io::Task<void> missing(World& w, std::string program) {
  const Condition down = [&w] { return w.all(State::down); };
  (void)co_await eventually(w.loop, down);
  EXPECT_EQ(w.instance().snapshot().last_error, "cannot start '" + program + "': No such file or directory");
  std::filesystem::create_symlink("/proc/self/exe", program);  // an upgrade puts it there, a moment late
  (void)co_await w.all_up();
}

TEST(Supervisor, AProgramThatIsNotThereYetIsTriedAgain) {
  const std::string program = testing::TempDir() + "/stateway-late-" + std::to_string(getpid());
  auto options = service_options(1);
  options.command[0] = program;
  World w(std::move(options));
  w.options.restart_longest = 100ms;
  w.run(missing(w, program));
  std::filesystem::remove(program);
}

io::Task<void> restarts(World& w) {
  (void)co_await w.all_up();
  const pid_t old = w.instance(0).pid();
  const pid_t other = w.instance(1).pid();
  const auto unknown = w.supervisor->restart("shop-9");
  EXPECT_FALSE(unknown);
  if (!unknown) EXPECT_EQ(unknown.error().code, Code::not_found);

  w.instance(1).drain(Drain::wish);  // so that the next request goes to the first
  Attempts attempts;
  auto lease = w.on_loop.try_acquire(attempts);
  EXPECT_TRUE(lease);
  w.instance(1).undrain(Drain::wish);
  EXPECT_TRUE(w.supervisor->restart("shop-1"));
  EXPECT_EQ(w.instance(0).state(), State::draining);
  for (int i = 0; i < 10; ++i) {
    Attempts others;
    auto next = w.on_loop.try_acquire(others);
    EXPECT_EQ(next->instance().name(), "shop-2");
  }
  co_await io::sleep_for(w.loop, 50ms);  // tidy: sleep: time in which nothing may happen
  EXPECT_TRUE(lives(old)) << "it has a request to finish";
  lease.reset();
  const Condition replaced = [&w, old] { return w.all(State::up) && w.instance(0).pid() != old; };
  (void)co_await eventually(w.loop, replaced);
  EXPECT_FALSE(lives(old));
  EXPECT_EQ(w.instance(1).pid(), other);
  EXPECT_EQ(w.instance(0).snapshot().restarts, 1u);
}

TEST(Supervisor, RestartDrainsFirst) {
  World w(service_options(2));
  w.run(restarts(w));
}

io::Task<void> stops_deaf(World& w) {
  (void)co_await w.all_up();
  const pid_t process = w.instance().pid();
  const TimePoint deadline = w.loop.now() + 100ms;
  co_await w.supervisor->stop(deadline);
  EXPECT_GE(w.loop.now(), deadline);
  EXPECT_FALSE(lives(process));
}

TEST(Supervisor, WhatIgnoresSigtermIsKilledAtTheDeadline) {
  World w(service_options(1, {"deaf"}));
  w.run(stops_deaf(w));
}

io::Task<void> stop_interrupts_restart(World& w) {
  (void)co_await w.all_up();
  const pid_t process = w.instance().pid();
  Attempts attempts;
  auto lease = w.on_loop.try_acquire(attempts);  // keeps the restart draining
  EXPECT_TRUE(w.supervisor->restart("shop-1"));
  co_await w.supervisor->stop(w.loop.now() + 20s);
  EXPECT_FALSE(lives(process));
  EXPECT_EQ(w.instance().state(), State::stopped);
}

TEST(Supervisor, StopDoesNotWaitForARestart) {
  World w(service_options(1));
  w.run(stop_interrupts_restart(w));
}

TEST(Supervisor, NothingIsLeftWhenItIsDestroyed) {
  pid_t process = 0;
  {
    World w(service_options(1));
    struct Body {
      static io::Task<void> run(World& world) { (void)co_await world.all_up(); }
    };
    w.run(Body::run(w));
    process = w.instance().pid();
    EXPECT_TRUE(lives(process));
  }
  EXPECT_FALSE(lives(process));
}

TEST(Supervisor, SocketPathsMustFit) {
  World w(service_options(1));
  w.options.folder = "/tmp/" + std::string(100, 'x');
  const auto started = Supervisor::start(w.service, w.loop, nullptr, w.options);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::invalid_argument);
}

}  // namespace
}  // namespace stateway::upstream
