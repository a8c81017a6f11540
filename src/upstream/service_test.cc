#include <gmock/gmock.h>

#include <set>

#include "upstream/test_on_loop.h"

namespace stateway::upstream {
namespace {

using test::eventually;
using test::fixed;
using test::Requests;
using test::ServiceTest;
using test::until;

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

TEST_F(ServiceTest, WhoWaitsForAFullInstanceKeepsNobodyFromAnother) {
  auto options = fixed(2);
  options.concurrency_per_instance = 1;
  options.timeout.connect = std::chrono::milliseconds(10'000);
  make(options);
  Attempts bound;
  bound.only = instance(0).identity();
  const auto full = on_loop_->try_acquire(bound);
  ASSERT_TRUE(full);
  Requests requests(*on_loop_);
  Attempts waits;
  waits.only = bound.only;
  requests.start("a", waits);
  EXPECT_EQ(service_->waiting(), 1u);
  Attempts unbound;
  const auto other = on_loop_->try_acquire(unbound);
  ASSERT_TRUE(other);
  EXPECT_EQ(other->instance().name(), "shop-2");
  EXPECT_EQ(requests.trace, "");
}

TEST_F(ServiceTest, WhoWaitsToTryAgainKeepsNobodyFromARoomyInstance) {
  auto options = fixed(1);
  options.concurrency_per_instance = 10;
  options.timeout.connect = std::chrono::milliseconds(10'000);
  make(options);
  Attempts retry;
  EXPECT_TRUE(on_loop_->try_acquire(retry));
  Requests requests(*on_loop_);
  requests.start("retry", retry);
  EXPECT_EQ(service_->waiting(), 1u);
  Attempts first;
  EXPECT_TRUE(on_loop_->try_acquire(first));
  run(until(loop_, [&] { return requests.trace == "retry+ "; }));
}

TEST_F(ServiceTest, WhoTriesAgainAndFindsNoRoomGetsTheNext) {
  auto options = fixed(1);
  options.concurrency_per_instance = 1;
  options.timeout.connect = std::chrono::milliseconds(60'000);
  make(options);
  Attempts retry;
  EXPECT_TRUE(on_loop_->try_acquire(retry));
  Attempts other;
  std::optional<Lease> full = on_loop_->try_acquire(other);
  Requests requests(*on_loop_);
  requests.start("retry", retry);
  const TimePoint paused = loop_.now() + 2 * kRepeatPause;
  run(until(loop_, [&] { return loop_.now() >= paused; }));
  full.reset();
  Attempts overtaker;
  EXPECT_FALSE(on_loop_->try_acquire(overtaker)) << "the retry may use it by now";
  run(until(loop_, [&] { return requests.trace == "retry+ "; }));
}

// The end of an ejection is news to nobody.
TEST_F(ServiceTest, WhoGivesUpLooksOnceMore) {
  auto options = fixed(2);
  options.concurrency_per_instance = 1;
  options.timeout.connect = std::chrono::milliseconds(100);
  make(options);
  (void)instance(0).eject(instance(0).status(), loop_.now(), 20ms, 20ms);
  Attempts first;
  const auto full = on_loop_->try_acquire(first);
  ASSERT_TRUE(full);
  EXPECT_EQ(full->instance().name(), "shop-2");
  Requests requests(*on_loop_);
  requests.start("a");
  run(until(loop_, [&] { return requests.tasks.running() == 0; }));
  EXPECT_EQ(requests.trace, "a+ ");
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
