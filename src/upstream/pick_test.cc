// Which instance is picked: keys, slow start, ejection.
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "upstream/test_on_loop.h"

namespace stateway::upstream {
namespace {

using test::fixed;
using test::Requests;
using test::ServiceTest;
using test::until;

class PickTest : public ServiceTest {
 public:
  /// Who gets a request, which ends at once.
  std::string pick(std::optional<std::uint64_t> key = {}) {
    Attempts attempts;
    attempts.key = key;
    auto lease = on_loop_->try_acquire(attempts);
    return lease ? lease->instance().name() : "";
  }
  std::map<std::string, int> picks(int n) {
    std::map<std::string, int> out;
    for (int i = 0; i < n; ++i) ++out[pick()];
    return out;
  }
  /// So many requests in a row to this instance, all with this outcome.
  void requests(Instance& instance, unsigned n, Outcome outcome) {
    while (n > 0) {
      Attempts attempts;
      while (auto lease = on_loop_->try_acquire(attempts)) {
        if (&lease->instance() != &instance) continue;
        lease->report(outcome);
        --n;
        break;
      }
    }
  }
  bool ejected(std::size_t i) { return instance(i).ejected(instance(i).status(), loop_.now()); }
};

ServiceOptions ejecting(unsigned count) {
  auto options = fixed(count);
  options.eject = {
      .failures = 3, .time = std::chrono::milliseconds(40), .time_max = std::chrono::milliseconds(90)};
  return options;
}

TEST_F(PickTest, AKeyGoesToOneInstanceOnEveryLoopWhateverThePolicy) {
  for (const Balance balance : {Balance::hash, Balance::p2c, Balance::round_robin, Balance::least_requests}) {
    auto options = fixed(4);
    options.balance = balance;
    make(options);
    SeededRandom other_random(77);
    ServiceOnLoop other(*service_, loop_, network_, other_random, {});
    std::set<std::string> used;
    for (std::uint64_t key = 0; key < 50; ++key) {
      const std::string first = pick(key);
      used.insert(first);
      EXPECT_EQ(pick(key), first);
      Attempts attempts;
      attempts.key = key;
      EXPECT_EQ(other.try_acquire(attempts)->instance().name(), first);
    }
    EXPECT_EQ(used.size(), 4u);
    on_loop_.reset();
  }
}

TEST_F(PickTest, WithoutAKeyHashIsP2c) {
  auto options = fixed(3);
  options.balance = Balance::hash;
  make(options);
  for (const auto& [name, count] : picks(900)) EXPECT_NEAR(count, 300, 100) << name;
}

TEST_F(PickTest, AKeyMovesToTheNextWhenItsInstanceWasTriedOrIsGoneAndComesBack) {
  make(fixed(3));
  Attempts attempts;
  attempts.key = 42;
  std::vector<std::string> order;
  while (auto lease = on_loop_->try_acquire(attempts)) order.push_back(lease->instance().name());
  ASSERT_EQ(order.size(), 3u);
  const std::shared_ptr<Instance> first = service_->find(order[0]);
  EXPECT_TRUE(first->mark_down(first->status(), "test"));
  EXPECT_EQ(pick(42), order[1]) << "always the same heir";
  EXPECT_TRUE(first->mark_up(first->status()));
  EXPECT_EQ(pick(42), order[0]);
}

TEST_F(PickTest, SlowStartGivesAnInstanceThatCameUpAGrowingShare) {
  for (const Balance balance : {Balance::p2c, Balance::round_robin, Balance::least_requests}) {
    auto options = fixed(2);
    options.balance = balance;
    options.slow_start = std::chrono::milliseconds(1'000);
    make(options);
    clock_.advance(std::chrono::milliseconds(1'000));
    lower(1);
    raise(1);
    double last = -1;
    for (const int share : {10, 40, 70, 100}) {
      auto count = picks(2'000);
      // Half of the picks in which it takes part; with turns, the others do not go on meanwhile.
      const double part = share / 100.0;
      const double expected = balance == Balance::round_robin ? part / (1 + part) : part / 2;
      EXPECT_NEAR(count["shop-2"], 2'000 * expected, 120) << share;
      EXPECT_GT(count["shop-2"], last);
      last = count["shop-2"];
      clock_.advance(std::chrono::milliseconds(share == 10 ? 400 : 300));
    }
    on_loop_.reset();
  }
}

TEST_F(PickTest, SlowStartMovesAKeyOnce) {
  auto options = fixed(2);
  options.slow_start = std::chrono::milliseconds(1'000);
  make(options);
  clock_.advance(std::chrono::milliseconds(1'000));
  std::vector<std::string> settled(100);
  for (std::uint64_t key = 0; key < 100; ++key) settled[key] = pick(key);
  lower(1);
  raise(1);
  std::vector<int> changes(100);
  std::vector<std::string> last(100, "shop-1");
  for (int step = 0; step <= 10; ++step) {
    for (std::uint64_t key = 0; key < 100; ++key) {
      const std::string now = pick(key);
      EXPECT_EQ(pick(key), now);
      if (now != last[key]) ++changes[key];
      last[key] = now;
    }
    clock_.advance(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(last, settled);
  for (const int n : changes) EXPECT_LE(n, 1);
}

TEST_F(PickTest, WhereAllCameUpTogetherSlowStartDoesNotMatter) {
  auto options = fixed(3);
  options.slow_start = std::chrono::milliseconds(60'000);
  make(options);
  for (const auto& [name, count] : picks(900)) EXPECT_NEAR(count, 300, 100) << name;
}

TEST_F(PickTest, FailuresInARowEjectAndTimeBringsBack) {
  make(ejecting(3));
  requests(instance(0), 2, Outcome::failed);
  requests(instance(0), 1, Outcome::answered);
  requests(instance(0), 2, Outcome::unwell);
  EXPECT_FALSE(ejected(0)) << "an answer in between begins the count anew";
  requests(instance(0), 1, Outcome::failed);
  EXPECT_TRUE(ejected(0));
  EXPECT_GT(instance(0).snapshot().ejected_until, clock_.now());
  EXPECT_EQ(instance(0).state(), State::up);
  EXPECT_EQ(picks(100).count("shop-1"), 0u);
  run(until(loop_, [this] { return !ejected(0); }));
  EXPECT_GT(picks(100)["shop-1"], 0);
}

TEST_F(PickTest, WhoFailsAgainSoonStaysOutLongerUpToABound) {
  make(ejecting(2));
  const Instance::Status s = instance(0).status();
  TimePoint now{1000s};
  const auto eject = [&] { return instance(0).eject(s, now, 40ms, 90ms); };
  EXPECT_EQ(eject(), 40ms);
  now += 40ms + 40ms;
  EXPECT_EQ(eject(), 80ms);
  now += 80ms + 1ms;
  EXPECT_EQ(eject(), 90ms);
  now += 90ms + 90ms;
  EXPECT_EQ(eject(), 90ms);
  now += 90ms + 91ms;
  EXPECT_EQ(eject(), 40ms) << "it has done well for longer than it was out";
}

TEST_F(PickTest, NeverMoreThanHalfAreEjected) {
  for (const std::size_t n : {1u, 2u, 3u, 4u, 5u}) {
    make(ejecting(static_cast<unsigned>(n)));
    std::size_t out = 0;
    for (std::size_t i = 0; i < n; ++i) {
      for (int repeat = 0; repeat < 9; ++repeat) {
        const unsigned row = instance(i).request_went_wrong(instance(i).status());
        if (row >= 3) service_->eject(instance(i), instance(i).status(), loop_.now());
      }
      if (ejected(i)) ++out;
    }
    EXPECT_EQ(out, n / 2);
    on_loop_.reset();
  }
}

TEST_F(PickTest, OnlyThoseThatCouldServeCount) {
  make(ejecting(4));
  lower(2);
  instance(3).drain(Drain::wish);
  requests(instance(0), 3, Outcome::failed);
  EXPECT_TRUE(ejected(0));
  requests(instance(1), 3, Outcome::failed);
  EXPECT_FALSE(ejected(1)) << "the last one that serves";
  lower(1);
  EXPECT_EQ(pick(), "shop-1") << "an ejected one is better than none";
}

TEST_F(PickTest, AnInstanceThatCameBackIsJudgedAnew) {
  make(ejecting(2));
  requests(instance(0), 3, Outcome::failed);
  const Instance::Status old = instance(0).status();
  EXPECT_TRUE(ejected(0));
  lower(0);
  raise(0);
  EXPECT_FALSE(ejected(0));
  EXPECT_EQ(instance(0).snapshot().ejected_until, 0);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(instance(0).request_went_wrong(old), 0u) << "of an earlier life";
}

// What a client's instance has in its memory is nowhere else.
TEST_F(PickTest, WhoIsBoundToAnInstanceGetsItEjectedOrWarmingUpAndWhateverTheKey) {
  auto options = ejecting(3);
  options.slow_start = std::chrono::milliseconds(60'000);
  make(options);
  requests(instance(0), 3, Outcome::failed);
  EXPECT_TRUE(ejected(0));
  for (std::uint64_t key = 0; key < 20; ++key) {
    Attempts attempts;
    attempts.key = key;
    attempts.only = instance(0).identity();
    const auto lease = on_loop_->try_acquire(attempts);
    ASSERT_TRUE(lease);
    EXPECT_EQ(lease->instance().name(), "shop-1");
  }
}

TEST_F(PickTest, EjectionCanBeTurnedOff) {
  auto options = ejecting(2);
  options.eject.failures = 0;
  make(options);
  requests(instance(0), 50, Outcome::failed);
  EXPECT_FALSE(ejected(0));
}

TEST_F(PickTest, AFullInstanceIsWaitedForRatherThanAnEjectedOneUsed) {
  auto options = ejecting(2);
  options.concurrency_per_instance = 1;
  options.eject.time = std::chrono::milliseconds(20'000);
  options.timeout.connect = std::chrono::milliseconds(10'000);
  make(options);
  requests(instance(0), 3, Outcome::failed);
  Requests queue(*on_loop_);
  for (const char* name : {"a", "b"}) queue.start(name);
  EXPECT_EQ(queue.trace, "a+ ");
  queue.leases.clear();
  run(until(loop_, [&] { return queue.trace == "a+ b+ "; }));
  EXPECT_EQ(queue.leases.at(0).instance().name(), "shop-2");
}

}  // namespace
}  // namespace stateway::upstream
