// Requests that only one instance can serve, because it has their client's state in its memory.
#include <gmock/gmock.h>

#include "upstream/test_on_loop.h"

namespace stateway::upstream {
namespace {

class PinTest : public test::ServiceTest {
 public:
  PinTest() {
    ServiceOptions options = test::fixed(3);
    options.timeout.connect = std::chrono::seconds(1);
    make(std::move(options));
  }
  Attempts pinned(std::size_t i) {
    Attempts out;
    out.only = instance(i).identity();
    return out;
  }
  std::string acquired(Attempts attempts) {
    std::string out;
    run(acquire(attempts, out));
    return out;
  }
  io::Task<void> acquire(Attempts& attempts, std::string& out) {
    auto lease = co_await on_loop_->acquire(attempts, io::kNoDeadline);
    out = lease ? lease->instance().name() : code_name(lease.error().code);
    if (lease) EXPECT_EQ(lease->identity(), *attempts.only);
  }
};

TEST_F(PinTest, FixedInstancesAreKnownByServiceAndAddress) {
  EXPECT_NE(instance(0).identity(), instance(1).identity());
  const auto changes = std::make_shared<Changes>();
  const auto identity = [&](std::string name, const char* address) {
    return Instance(std::move(name), 0, Endpoint{.address = *parse_address(address), .token = nullptr},
                    changes, clock_)
        .identity();
  };
  EXPECT_EQ(identity("shop-7", "127.0.0.1:9001"), instance(0).identity()) << "its place means nothing";
  EXPECT_NE(identity("other-1", "127.0.0.1:9001"), instance(0).identity());
  EXPECT_NE(identity("shop-1", "127.0.0.1:9009"), instance(0).identity());
}

TEST_F(PinTest, EachProcessIsAnotherInstance) {
  Instance supervised("shop-1", 0, std::nullopt, std::make_shared<Changes>(), clock_);
  EXPECT_EQ(supervised.identity(), 0u);
  const Endpoint address{.address = *parse_address("127.0.0.1:9001"), .token = nullptr};
  supervised.process_started(1, address, 11);
  EXPECT_EQ(supervised.identity(), 11u);
  supervised.process_ended("killed");
  EXPECT_EQ(supervised.identity(), 0u) << "its memory died with it";
  supervised.process_started(2, address, 12);
  EXPECT_EQ(supervised.identity(), 12u);
  supervised.drain(Drain::restart);
  EXPECT_EQ(supervised.identity(), 12u) << "who has state there may still come";
  supervised.process_ending();
  EXPECT_EQ(supervised.identity(), 0u);
}

TEST_F(PinTest, NoOtherInstanceIsTaken) {
  for (int i = 0; i < 20; ++i) {
    Attempts attempts = pinned(1);
    const auto lease = on_loop_->try_acquire(attempts);
    ASSERT_TRUE(lease.has_value());
    EXPECT_EQ(lease->instance().name(), "shop-2");
    EXPECT_FALSE(on_loop_->try_acquire(attempts)) << "tried before; there is no other";
  }
}

io::Task<void> tries_again(PinTest& t, std::string& out) {
  Attempts attempts = t.pinned(1);
  {
    const auto first = t.on_loop_->try_acquire(attempts);
  }
  co_await t.acquire(attempts, out);
}

TEST_F(PinTest, ARetryGoesToTheSameInstanceAfterAPause) {
  std::string out;
  run(tries_again(*this, out));
  EXPECT_EQ(out, "shop-2");
}

TEST_F(PinTest, AnInstanceThatDrainsKeepsItsClients) {
  for (const Drain why : {Drain::wish, Drain::restart, Drain::removed}) {
    instance(1).drain(why);
    EXPECT_EQ(acquired(pinned(1)), "shop-2");
    instance(1).set_drain_deadline(loop_.now() + 3600s);
    EXPECT_EQ(acquired(pinned(1)), "shop-2");
    instance(1).undrain(why);
  }
}

TEST_F(PinTest, ButNotForLongerThanTheDrainMayTake) {
  instance(1).drain(Drain::wish);
  instance(1).set_drain_deadline(loop_.now());
  EXPECT_EQ(acquired(pinned(1)), "instance-lost");
  instance(1).undrain(Drain::wish);
  EXPECT_EQ(acquired(pinned(1)), "shop-2") << "an operator thought again";
}

TEST_F(PinTest, AnInstanceThatIsDownHasLostItsClients) {
  lower(1);
  EXPECT_EQ(acquired(pinned(1)), "instance-lost");
}

TEST_F(PinTest, AnInstanceThatIsBackHasItsClientsAgain) {
  lower(1);
  raise(1);
  EXPECT_EQ(acquired(pinned(1)), "shop-2");
}

TEST_F(PinTest, AnInstanceThatIsNotListedHasLostItsClients) {
  Attempts attempts;
  attempts.only = 12345;
  EXPECT_EQ(acquired(attempts), "instance-lost");
}

TEST_F(PinTest, OneThatWasNotCheckedYetIsWaitedFor) {
  ServiceOptions options = service_->roster()->options;
  options.timeout.connect = std::chrono::seconds(10);
  Service other(options, clock_);
  ServiceOnLoop on_loop(other, loop_, network_, random_, http::HeadLimits{});
  struct Body {
    static io::Task<void> wait(ServiceOnLoop& s, Attempts& attempts, std::string& out) {
      auto lease = co_await s.acquire(attempts, io::kNoDeadline);
      out = lease ? lease->instance().name() : code_name(lease.error().code);
    }
    static io::Task<void> run(Service& service, ServiceOnLoop& s, Attempts& attempts, std::string& out) {
      io::TaskGroup waiting;
      waiting.spawn(wait(s, attempts, out));
      EXPECT_EQ(service.waiting(), 1u);
      const auto& instances = service.roster()->instances;
      for (const std::size_t i : {0, 2, 1}) {  // the others' coming up helps nobody
        EXPECT_EQ(out, "");
        EXPECT_TRUE(instances[i]->mark_up(instances[i]->status()));
        if (i == 2) EXPECT_FALSE(s.try_acquire(attempts));
      }
      co_await waiting.drained();
    }
  };
  Attempts attempts;
  attempts.only = other.roster()->instances[1]->identity();
  std::string out;
  run(Body::run(other, on_loop, attempts, out));
  EXPECT_EQ(out, "shop-2");
}

TEST_F(PinTest, WhoWaitsForAnInstanceThatGoesIsToldAtOnce) {
  ServiceOptions options = service_->roster()->options;
  options.timeout.connect = std::chrono::seconds(10);
  Service other(options, clock_);
  ServiceOnLoop on_loop(other, loop_, network_, random_, http::HeadLimits{});
  struct Body {
    static io::Task<void> run(io::Loop& loop, Service& service, ServiceOnLoop& s, Attempts& attempts,
                              std::string& out) {
      const TimePoint began = loop.now();
      const auto& instance = service.roster()->instances[1];
      const auto lower = [&instance] { instance->mark_down(instance->status(), "test"); };
      io::post(loop, lower);
      auto lease = co_await s.acquire(attempts, io::kNoDeadline);
      out = lease ? lease->instance().name() : code_name(lease.error().code);
      EXPECT_LT(loop.now() - began, 5s);
    }
  };
  Attempts attempts;
  attempts.only = other.roster()->instances[1]->identity();
  std::string out;
  run(Body::run(loop_, other, on_loop, attempts, out));
  EXPECT_EQ(out, "instance-lost");
}

}  // namespace
}  // namespace stateway::upstream
