#include <gmock/gmock.h>

#include <set>

#include "upstream/service_on_loop.h"
#include "upstream/test_network.h"

namespace stateway::upstream {
namespace {

using test::eventually;
using test::ScriptedNetwork;

ServiceOptions fixed(unsigned count) {
  ServiceOptions out;
  out.name = "shop";
  for (unsigned i = 0; i < count; ++i)
    out.instances.push_back(*parse_address("127.0.0.1:" + std::to_string(9001 + i)));
  out.timeout.connect = std::chrono::milliseconds(30);
  return out;
}

/// A service on one loop, its instances up unless a test says otherwise.
class ServiceTest : public testing::Test {
 public:
  void make(ServiceOptions options, bool up = true) {
    service_.emplace(std::move(options), clock_);
    on_loop_.emplace(*service_, loop_, network_, random_, http::HeadLimits{});
    if (up)
      for (std::size_t i = 0; i < service_->roster()->instances.size(); ++i) raise(i);
  }
  Instance& instance(std::size_t i) { return *service_->roster()->instances[i]; }
  void raise(std::size_t i) { EXPECT_TRUE(instance(i).mark_up(instance(i).status())); }
  void lower(std::size_t i) { EXPECT_TRUE(instance(i).mark_down(instance(i).status(), "test")); }
  void run(io::Task<void> task) { io::run_until_done(loop_, std::move(task)); }

  io::EpollLoop loop_;
  ScriptedNetwork network_{loop_};
  ManualClock clock_;
  SeededRandom random_{1};
  std::optional<Service> service_;
  std::optional<ServiceOnLoop> on_loop_;
};

/// Acquires and writes down who got it, in order; holds the lease until told.
struct Requests {
  explicit Requests(ServiceOnLoop& s) : service(s) {}
  void start(std::string name, TimePoint deadline = io::kNoDeadline) {
    tasks.spawn(one(*this, std::move(name), deadline));
  }
  static io::Task<void> one(Requests& r, std::string name, TimePoint deadline) {
    Attempts attempts;
    auto lease = co_await r.service.acquire(attempts, deadline);
    r.trace += name + (lease ? "+" : lease.error().code == Code::queue_full ? "full" : "none") + " ";
    if (lease) r.leases.push_back(std::move(*lease));
  }
  ServiceOnLoop& service;
  std::string trace;
  std::vector<Lease> leases;
  io::TaskGroup tasks;
};

io::Task<void> until(io::Loop& loop, std::function<bool()> holds) { (void)co_await eventually(loop, holds); }

TEST_F(ServiceTest, LeasesCountAndRelease) {
  make(fixed(1));
  Attempts attempts;
  {
    auto lease = on_loop_->try_acquire(attempts);
    ASSERT_TRUE(lease);
    EXPECT_EQ(lease->instance().name(), "shop-1");
    EXPECT_EQ(instance(0).active(), 1u);
    Lease moved = std::move(*lease);
    EXPECT_EQ(instance(0).active(), 1u);
    moved.report(Outcome::failed);
  }
  EXPECT_EQ(instance(0).active(), 0u);
  const ServiceSnapshot snapshot = service_->snapshot();
  EXPECT_EQ(snapshot.name, "shop");
  EXPECT_FALSE(snapshot.supervised);
  ASSERT_EQ(snapshot.instances.size(), 1u);
  EXPECT_EQ(snapshot.instances[0].address, "127.0.0.1:9001");
  EXPECT_EQ(snapshot.instances[0].state, State::up);
  EXPECT_EQ(snapshot.instances[0].requests, 1u);
  EXPECT_EQ(snapshot.instances[0].failures, 1u);
  EXPECT_EQ(snapshot.instances[0].since, clock_.now());
}

TEST_F(ServiceTest, OnlyUsableUntriedInstances) {
  make(fixed(4));
  lower(0);
  instance(2).set_draining(true);
  EXPECT_EQ(instance(2).state(), State::draining);
  Attempts attempts;
  std::set<std::string> names;
  while (auto lease = on_loop_->try_acquire(attempts)) names.insert(lease->instance().name());
  EXPECT_THAT(names, testing::ElementsAre("shop-2", "shop-4"));
  EXPECT_EQ(attempts.made(), 2u);

  raise(0);  // another generation: not tried yet
  instance(2).set_draining(false);
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
  ASSERT_EQ(after->instances.size(), 3u);
  EXPECT_EQ(after->instances[0], before->instances[0]);
  EXPECT_EQ(after->instances[1], before->instances[2]);
  EXPECT_EQ(after->instances[2]->name(), "shop-4");  // no name means two instances at once
  EXPECT_EQ(after->instances[2]->state(), State::starting);
  EXPECT_EQ(after->instances[0]->state(), State::up);
  EXPECT_TRUE(before->instances[1]->draining());
  EXPECT_EQ(service_->find("shop-2"), nullptr);

  // Also before this loop has heard of it, the one that left gets nothing new.
  Attempts attempts;
  std::set<std::string> names;
  while (auto lease = on_loop_->try_acquire(attempts)) names.insert(lease->instance().name());
  EXPECT_THAT(names, testing::ElementsAre("shop-1", "shop-3"));
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

TEST_F(ServiceTest, AnInstanceThatCameBackIsNotTheOneThatWasTried) {
  make(fixed(1));
  Attempts attempts;
  EXPECT_TRUE(on_loop_->try_acquire(attempts));
  EXPECT_FALSE(on_loop_->try_acquire(attempts));
  lower(0);
  raise(0);
  EXPECT_TRUE(on_loop_->try_acquire(attempts));
}

TEST_F(ServiceTest, NothingUpForTooLong) {
  make(fixed(2), false);
  Requests requests(*on_loop_);
  const TimePoint began = loop_.now();
  requests.start("a");
  requests.start("b", began + 5ms);
  EXPECT_EQ(service_->waiting(), 2u);
  run(until(loop_, [&] { return requests.tasks.running() == 0; }));
  EXPECT_EQ(requests.trace, "bnone anone ");
  EXPECT_GE(loop_.now() - began, 30ms);
  EXPECT_EQ(service_->waiting(), 0u);
}

TEST_F(ServiceTest, TheQueueIsBounded) {
  auto options = fixed(1);
  options.queue = 2;
  make(options, false);
  {
    Requests requests(*on_loop_);
    requests.start("a");
    requests.start("b");
    requests.start("c");
    EXPECT_EQ(requests.trace, "cfull ");
    EXPECT_EQ(service_->waiting(), 2u);
  }
  EXPECT_EQ(service_->waiting(), 0u) << "requests given up leave the queue";
}

TEST_F(ServiceTest, WaitersAreServedInOrderWhenAnInstanceComesUp) {
  make(fixed(1), false);
  Requests requests(*on_loop_);
  for (const char* name : {"a", "b", "c"}) requests.start(name);
  raise(0);
  run(until(loop_, [&] { return requests.leases.size() == 3; }));
  EXPECT_EQ(requests.trace, "a+ b+ c+ ");
}

TEST_F(ServiceTest, ALimitedInstanceServesItsQueueInOrderAndNobodyOvertakes) {
  auto options = fixed(1);
  options.concurrency_per_instance = 2;
  options.timeout.connect = std::chrono::milliseconds(10'000);
  make(options);
  Requests requests(*on_loop_);
  for (const char* name : {"a", "b", "c", "d", "e"}) requests.start(name);
  EXPECT_EQ(requests.trace, "a+ b+ ");
  requests.leases.erase(requests.leases.begin());
  Attempts overtaker;
  EXPECT_FALSE(on_loop_->try_acquire(overtaker)) << "there is room, but others wait for it";
  run(until(loop_, [&] { return requests.leases.size() == 2; }));
  EXPECT_EQ(requests.trace, "a+ b+ c+ ");
  EXPECT_EQ(instance(0).active(), 2u);
}

TEST_F(ServiceTest, TheSameInstanceAgainOnlyAfterAPauseAndOnlyIfAllowed) {
  auto options = fixed(1);
  options.timeout.connect = std::chrono::milliseconds(200);
  make(options);
  struct Body {
    static io::Task<void> run(ServiceOnLoop& service, io::Loop& loop) {
      Attempts attempts;
      (void)service.try_acquire(attempts);
      TimePoint began = loop.now();
      auto again = co_await service.acquire(attempts, io::kNoDeadline);
      EXPECT_TRUE(again);
      EXPECT_GE(loop.now() - began, kRepeatPause);
      attempts.repeat = false;
      began = loop.now();
      auto refused = co_await service.acquire(attempts, io::kNoDeadline);
      EXPECT_FALSE(refused);
      if (!refused) EXPECT_EQ(refused.error().code, Code::no_instance);
      EXPECT_GE(loop.now() - began, 200ms);
    }
  };
  run(Body::run(*on_loop_, loop_));
}

TEST_F(ServiceTest, ARefusedConnectTakesTheInstanceOutAtOnce) {
  make(fixed(1));
  network_.failures["127.0.0.1:9001"] = {Code::connect_failed, Side::upstream, Retry::always, "refused"};
  struct Body {
    static io::Task<void> run(ServiceOnLoop& service) {
      Attempts attempts;
      auto lease = service.try_acquire(attempts);
      auto connection = co_await lease->connect();
      EXPECT_FALSE(connection);
      if (!connection) EXPECT_EQ(connection.error().code, Code::connect_failed);
    }
  };
  run(Body::run(*on_loop_));
  EXPECT_EQ(instance(0).state(), State::down);
  EXPECT_EQ(instance(0).snapshot().last_error, "refused");
  EXPECT_EQ(instance(0).snapshot().failures, 1u);
}

TEST_F(ServiceTest, WhichConnectFailuresCount) {
  make(fixed(1));
  const Error late{Code::connect_timeout, Side::upstream, Retry::always, "late"};
  const Error ours{Code::connect_failed, Side::self, Retry::always, "no descriptors"};
  const Error refused{Code::connect_failed, Side::upstream, Retry::always, "refused"};
  const auto status = instance(0).status();
  for (int i = 0; i < 10; ++i) instance(0).connect_failed(status, ours);
  instance(0).connect_failed({status.generation - 1, State::up}, refused);  // of an earlier life
  instance(0).connect_failed(status, late);
  instance(0).connect_failed(status, late);
  instance(0).connected();
  instance(0).connect_failed(status, late);
  instance(0).connect_failed(status, late);
  EXPECT_EQ(instance(0).state(), State::up);
  instance(0).connect_failed(status, late);
  EXPECT_EQ(instance(0).state(), State::down);
}

TEST_F(ServiceTest, ConnectionsAreReusedUntilTheInstanceIsAnotherOne) {
  make(fixed(1));
  struct Body {
    static io::Task<void> run(ServiceTest& t) {
      ServiceOnLoop& service = *t.on_loop_;
      Attempts attempts;
      auto lease = service.try_acquire(attempts);
      EXPECT_EQ(lease->take_idle(), nullptr);
      auto first = co_await lease->connect();
      if (!first) co_return;
      EXPECT_FALSE((*first)->reused());
      Connection* const same = first->get();
      lease->give_back(std::move(*first));
      EXPECT_EQ(service.idle_connections(t.instance(0)), 1u);
      auto fresh = co_await lease->connect(true);
      EXPECT_NE(fresh->get(), same);
      EXPECT_FALSE((*fresh)->reused());
      auto pooled = co_await lease->connect();
      EXPECT_EQ(pooled->get(), same);
      EXPECT_TRUE((*pooled)->reused());

      lease->give_back(std::move(*pooled));
      t.lower(0);
      t.raise(0);
      lease->give_back(std::move(*fresh));
      EXPECT_EQ(service.idle_connections(t.instance(0)), 1u) << "of the old generation: closed, not kept";
      const std::function<bool()> emptied = [&] { return service.idle_connections(t.instance(0)) == 0; };
      (void)co_await eventually(t.loop_, emptied);
      EXPECT_EQ(t.network_.connects, 2);
    }
  };
  run(Body::run(*this));
}

TEST_F(ServiceTest, TheRetryBudgetIsAShareOfWhatIsActive) {
  auto options = fixed(1);
  options.retry.budget = 0.2;
  make(options);
  std::vector<Lease> leases;
  const auto activate = [&](std::size_t n) {
    leases.clear();
    for (std::size_t i = 0; i < n; ++i) {
      Attempts attempts;
      leases.push_back(*on_loop_->try_acquire(attempts));
    }
  };
  for (const auto& [active, allowed] : {std::pair{0, 3}, {10, 3}, {15, 3}, {20, 4}, {100, 20}}) {
    activate(static_cast<std::size_t>(active));
    std::vector<Service::RetryPermit> permits;
    while (auto permit = service_->permit_retry()) permits.push_back(std::move(*permit));
    EXPECT_EQ(permits.size(), static_cast<std::size_t>(allowed)) << active << " active";
    EXPECT_EQ(service_->snapshot().retrying, permits.size());
  }
  EXPECT_EQ(service_->snapshot().retrying, 0u);
  options.retry.budget = 0;
  Service none(options, clock_);
  EXPECT_FALSE(none.permit_retry());
}

TEST_F(ServiceTest, ItsLastWaiterMayEndIt) {
  make(fixed(2), false);
  struct Body {
    static io::Task<void> run(std::optional<ServiceOnLoop>& on_loop) {
      Attempts attempts;
      {
        const auto lease = co_await on_loop->acquire(attempts, io::kNoDeadline);
        EXPECT_TRUE(lease);
      }
      on_loop.reset();
    }
  };
  io::TaskGroup last;
  last.spawn(Body::run(on_loop_));
  raise(0);
  run(until(loop_, [&] { return !on_loop_.has_value(); }));
}

}  // namespace
}  // namespace stateway::upstream
