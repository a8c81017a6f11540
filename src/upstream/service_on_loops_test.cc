// Services used by several loops at once.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "upstream/service_on_loop.h"
#include "upstream/test_network.h"

namespace stateway::upstream {
namespace {

using test::ScriptedNetwork;

ServiceOptions fixed(unsigned count) {
  ServiceOptions out;
  out.name = "shop";
  for (unsigned i = 0; i < count; ++i)
    out.instances.push_back(*parse_address("127.0.0.1:" + std::to_string(9001 + i)));
  return out;
}

// Every loop's waiters hear of an instance that comes up elsewhere, and a limit holds across loops.
TEST(ServiceOnLoops, TheyShareInstancesAndWakeEachOther) {
  constexpr int kLoops = 3;
  constexpr int kRequests = 40;
  constexpr unsigned kLimit = 2;
  auto options = fixed(2);
  options.concurrency_per_instance = kLimit;
  options.timeout.connect = std::chrono::milliseconds(20'000);
  SystemClock clock;
  Service service(options, clock);
  std::atomic<int> served{0};
  std::atomic<unsigned> together{0};

  struct Request {
    static io::Task<void> run(ServiceOnLoop& on_loop, io::Loop& loop, std::atomic<unsigned>& now,
                              std::atomic<int>& done) {
      Attempts attempts;
      auto lease = co_await on_loop.acquire(attempts, io::kNoDeadline);
      EXPECT_TRUE(lease);
      EXPECT_LE(now.fetch_add(1) + 1, 2 * kLimit);
      co_await io::sleep_for(loop, 0ms);
      now.fetch_sub(1);
      ++done;
    }
  };
  struct Loop {
    static io::Task<void> run(Service& s, io::EpollLoop& loop, std::atomic<unsigned>& now,
                              std::atomic<int>& done) {
      ScriptedNetwork network(loop);
      SystemRandom random;
      ServiceOnLoop on_loop(s, loop, network, random, {});
      io::TaskGroup tasks;
      for (int i = 0; i < kRequests; ++i) tasks.spawn(Request::run(on_loop, loop, now, done));
      co_await tasks.drained();
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kLoops; ++i) {
    threads.emplace_back([&] {
      io::EpollLoop loop;
      io::run_until_done(loop, Loop::run(service, loop, together, served));
    });
  }
  while (service.waiting() < kLoops * kRequests) std::this_thread::yield();
  for (const auto& instance : service.roster()->instances) EXPECT_TRUE(instance->mark_up(instance->status()));
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(served, kLoops * kRequests);
  EXPECT_EQ(service.waiting(), 0u);
  for (const auto& instance : service.roster()->instances) EXPECT_EQ(instance->active(), 0u);
}

// Instances come and go while loops use them: nothing is lost, nothing is counted twice, every request ends.
TEST(ServiceOnLoops, TheyGoOnWhileInstancesComeAndGo) {
  constexpr int kLoops = 3;
  constexpr int kRequests = 2'000;
  auto options = fixed(3);
  options.timeout.connect = std::chrono::milliseconds(20'000);
  options.slow_start = std::chrono::milliseconds(2);
  options.eject = {
      .failures = 2, .time = std::chrono::milliseconds(1), .time_max = std::chrono::milliseconds(2)};
  SystemClock clock;
  Service service(options, clock);
  std::atomic<int> served{0};
  std::atomic<int> loops_left{kLoops};

  struct Loop {
    static io::Task<void> client(ServiceOnLoop& on_loop, io::Loop& loop, std::atomic<int>& done) {
      for (int i = 0; i < kRequests; ++i) {
        Attempts attempts;
        auto lease = co_await on_loop.acquire(attempts, io::kNoDeadline);
        if (!lease) co_return;
        auto connection = co_await lease->connect();
        if (!connection) co_return;
        if (i % 8 == 0) co_await io::sleep_for(loop, 0ms);
        lease->report(i % 3 == 0 ? Outcome::answered : i % 3 == 1 ? Outcome::failed : Outcome::unwell);
        lease->give_back(std::move(*connection));
        ++done;
      }
    }
    static io::Task<void> run(Service& s, io::EpollLoop& loop, std::atomic<int>& done) {
      ScriptedNetwork network(loop);
      SystemRandom random;
      ServiceOnLoop on_loop(s, loop, network, random, {});
      io::TaskGroup tasks;
      for (int i = 0; i < 4; ++i) tasks.spawn(client(on_loop, loop, done));
      co_await tasks.drained();
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kLoops; ++i) {
    threads.emplace_back([&] {
      {
        io::EpollLoop loop;
        io::run_until_done(loop, Loop::run(service, loop, served), 60s);
      }
      --loops_left;
    });
  }
  SeededRandom random(5);
  while (loops_left > 0) {
    Instance& instance = *service.roster()->instances[random.below(3)];
    const Instance::Status status = instance.status();
    switch (random.below(3)) {
      case 0:
        instance.connect_failed(status, Error{Code::connect_failed, Side::upstream, Retry::always, "gone"});
        break;
      case 1:
        random.below(2) == 0 ? instance.drain(Drain::wish) : instance.undrain(Drain::wish);
        break;
      default:
        instance.mark_up(status);
    }
    for (const auto& i : service.roster()->instances) EXPECT_LE(i->active(), kLoops * 4u);
    std::this_thread::yield();
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(served, kLoops * 4 * kRequests);
  for (const auto& i : service.roster()->instances) EXPECT_EQ(i->active(), 0u);
}

}  // namespace
}  // namespace stateway::upstream
