// Instances come, drain and go.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "upstream/monitor.h"
#include "upstream/test_on_loop.h"

namespace stateway::upstream {
namespace {

using test::eventually;
using test::fixed;
using test::Requests;
using test::ServiceTest;
using test::until;

TEST_F(ServiceTest, OnlyUsableUntriedInstances) {
  make(fixed(4));
  lower(0);
  instance(2).drain(Drain::wish);
  EXPECT_EQ(instance(2).state(), State::draining);
  Attempts attempts;
  std::set<std::string> names;
  while (auto lease = on_loop_->try_acquire(attempts)) names.insert(lease->instance().name());
  EXPECT_THAT(names, testing::ElementsAre("shop-2", "shop-4"));
  EXPECT_EQ(attempts.made(), 2u);

  raise(0);  // another generation: not tried yet
  instance(2).undrain(Drain::wish);
  names.clear();
  while (auto lease = on_loop_->try_acquire(attempts)) names.insert(lease->instance().name());
  EXPECT_THAT(names, testing::ElementsAre("shop-1", "shop-3"));
}

TEST_F(ServiceTest, ReconfiguringKeepsTheInstancesThatStay) {
  make(fixed(3));
  const std::shared_ptr<const Roster> before = service_->roster();
  auto options = fixed(4);
  options.instances.erase(options.instances.begin() + 1);  // 9001, 9003, 9004
  service_->reconfigure(options);
  const std::shared_ptr<const Roster> after = service_->roster();
  ASSERT_EQ(after->instances.size(), 4u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(after->instances[i], before->instances[i]);
  EXPECT_EQ(after->instances[3]->name(), "shop-4");  // no name means two instances at once
  EXPECT_EQ(after->instances[3]->state(), State::starting);
  EXPECT_EQ(after->instances[0]->state(), State::up);
  EXPECT_EQ(service_->find("shop-2")->state(), State::draining) << "seen until it is drained";
  EXPECT_EQ(service_->find("shop-2")->snapshot().drain, "removed");

  // Also before this loop has heard of it, the one that left gets nothing new.
  Attempts attempts;
  std::set<std::string> names;
  while (auto lease = on_loop_->try_acquire(attempts)) names.insert(lease->instance().name());
  EXPECT_THAT(names, testing::ElementsAre("shop-1", "shop-3"));

  service_->remove(*before->instances[0]);
  EXPECT_EQ(service_->roster()->instances.size(), 4u) << "it is asked for";
  service_->remove(*before->instances[1]);
  EXPECT_EQ(service_->roster()->instances.size(), 3u);
  EXPECT_EQ(service_->find("shop-2"), nullptr);
}

TEST_F(ServiceTest, AnInstanceThatIsListedAgainGoesOn) {
  make(fixed(2));
  const std::shared_ptr<Instance> second = service_->roster()->instances[1];
  service_->reconfigure(fixed(1));
  EXPECT_FALSE(second->usable(second->status()));
  service_->reconfigure(fixed(2));
  EXPECT_EQ(service_->roster()->instances[1], second);
  EXPECT_TRUE(second->usable(second->status()));

  second->drain(Drain::wish);  // an operator's, which no reload ends
  service_->reconfigure(fixed(2));
  EXPECT_EQ(second->state(), State::draining);
}

TEST_F(ServiceTest, RemovedInstancesLeaveWhenTheirRequestsHaveEnded) {
  auto options = fixed(3);
  make(options);
  Monitor monitor(*service_, loop_, network_);
  std::vector<Lease> leases;
  Attempts attempts;
  while (auto lease = on_loop_->try_acquire(attempts)) leases.push_back(std::move(*lease));
  std::ranges::sort(leases, {}, [](const Lease& l) { return l.instance().index(); });

  options.instances.resize(1);
  service_->reconfigure(options);
  run(until(loop_, [&] { return instance(1).drain_deadline() < loop_.now() + options.drain; }));
  EXPECT_EQ(service_->roster()->instances.size(), 3u);
  leases.erase(leases.begin() + 1);
  run(until(loop_, [&] { return service_->find("shop-2") == nullptr; }));
  EXPECT_NE(service_->find("shop-3"), nullptr);
  leases.clear();
  run(until(loop_, [&] { return service_->roster()->instances.size() == 1; }));
}

TEST_F(ServiceTest, AFixedInstanceMayHaveClientsFromBeforeTheStart) {
  auto options = fixed(2);
  options.bound_idle = std::chrono::milliseconds(500);
  make(options);
  Monitor monitor(*service_, loop_, network_);
  const std::shared_ptr<Instance> second = service_->roster()->instances[1];
  EXPECT_FALSE(second->idle());
  options.instances.resize(1);
  service_->reconfigure(options);
  run(until(loop_, [&] { return second->drain_deadline() < loop_.now() + options.drain; }));
  EXPECT_NE(service_->find("shop-2"), nullptr);
  EXPECT_TRUE(second->reachable(second->status(), loop_.now())) << "for those who are bound to it";
  clock_.advance(options.bound_idle);
  run(until(loop_, [&] { return service_->find("shop-2") == nullptr; }));
}

TEST_F(ServiceTest, NoRemovedInstanceIsWaitedForLongerThanTheDrainMayTake) {
  auto options = fixed(2);
  options.drain = std::chrono::milliseconds(50);
  make(options);
  Monitor monitor(*service_, loop_, network_);
  instance(0).drain(Drain::wish);
  Attempts attempts;
  auto lease = on_loop_->try_acquire(attempts);
  const TimePoint began = loop_.now();
  options.instances.resize(1);
  service_->reconfigure(options);
  run(until(loop_, [&] { return service_->find("shop-2") == nullptr; }));
  EXPECT_GE(loop_.now() - began, 50ms);
  EXPECT_EQ(lease->instance().active(), 1u) << "its request goes on";
  EXPECT_NE(service_->find("shop-1"), nullptr) << "an operator's wish removes nothing";
}

TEST_F(ServiceTest, BoundClientsReachADrainingInstanceForAWhile) {
  make(fixed(1));
  Instance& only = instance(0);
  EXPECT_TRUE(only.reachable(only.status(), loop_.now()));
  only.drain(Drain::wish);
  only.set_drain_deadline(loop_.now() + 10s);
  EXPECT_FALSE(only.usable(only.status()));
  EXPECT_TRUE(only.reachable(only.status(), loop_.now()));
  EXPECT_FALSE(only.reachable(only.status(), loop_.now() + 10s));
  only.undrain(Drain::wish);
  EXPECT_TRUE(only.reachable(only.status(), loop_.now() + 10s)) << "the wait is forgotten with the drain";

  EXPECT_TRUE(only.idle());
  only.expect_client(clock_.now() + 5);
  only.expect_client(clock_.now() + 3);
  EXPECT_FALSE(only.idle());
  clock_.advance(std::chrono::milliseconds(5));
  EXPECT_TRUE(only.idle());
}

TEST_F(ServiceTest, ConnectionsCarryTheTokenTheyWereOpenedFor) {
  auto options = fixed(1);
  options.token = Secret("old");
  make(options);
  struct Body {
    static io::Task<void> run(ServiceTest& t, ServiceOptions changed) {
      Attempts attempts;
      auto lease = t.on_loop_->try_acquire(attempts);
      auto first = co_await lease->connect();
      if (!first) co_return;
      EXPECT_EQ((*first)->token()->reveal(), "old");
      changed.token = Secret("new");
      t.service_->reconfigure(changed);
      lease->give_back(std::move(*first));
      EXPECT_EQ(t.on_loop_->idle_connections(t.instance(0)), 0u) << "its token is the old one";
      auto second = co_await lease->connect();
      if (second) EXPECT_EQ((*second)->token()->reveal(), "new");
      EXPECT_EQ(t.instance(0).state(), State::up);
    }
  };
  run(Body::run(*this, options));
}

TEST(Scaling, IsAWishUntilTheConfiguredCountChanges) {
  ServiceOptions options;
  options.name = "jobs";
  options.command = {"jobs"};
  options.count = 3;
  ManualClock clock;
  Service service(options, clock);
  const auto counts = [&] {
    const ServiceSnapshot s = service.snapshot();
    std::size_t wanted = 0;
    for (const auto& i : service.roster()->instances) wanted += i->drains_for(Drain::removed) ? 0 : 1;
    EXPECT_EQ(wanted, s.count);
    return std::pair(s.count, s.configured_count);
  };
  EXPECT_EQ(counts(), std::pair(3u, 3u));
  service.scale(5);
  EXPECT_EQ(counts(), std::pair(5u, 3u));
  service.scale(2);
  EXPECT_EQ(counts(), std::pair(2u, 3u));
  for (const std::string name : {"jobs-1", "jobs-2"}) EXPECT_FALSE(service.find(name)->draining());
  for (const std::string name : {"jobs-3", "jobs-4", "jobs-5"}) EXPECT_TRUE(service.find(name)->draining());
  options.retry.attempts = 7;
  service.reconfigure(options);
  EXPECT_EQ(counts(), std::pair(2u, 3u)) << "a reload that does not speak of it";
  EXPECT_EQ(service.roster()->options.retry.attempts, 7u);
  options.count = 4;
  service.reconfigure(options);
  EXPECT_EQ(counts(), std::pair(4u, 4u));
  options.count = 3;
  service.reconfigure(options);
  EXPECT_EQ(counts(), std::pair(3u, 3u));
}

TEST_F(ServiceTest, WaitersAreServedByAnInstanceThatIsAdded) {
  auto options = fixed(1);
  options.timeout.connect = std::chrono::milliseconds(20'000);
  make(options, false);
  Requests requests(*on_loop_);
  requests.start("a");
  options.instances.push_back(*parse_address("127.0.0.1:9002"));
  service_->reconfigure(options);
  raise(1);
  run(until(loop_, [&] { return requests.trace == "a+ "; }));
  EXPECT_EQ(requests.leases.at(0).instance().name(), "shop-2");
}

}  // namespace
}  // namespace stateway::upstream
