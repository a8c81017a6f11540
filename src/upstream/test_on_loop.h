// For tests: a service of fixed addresses on one loop, with a scripted network.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "upstream/service_on_loop.h"
#include "upstream/test_network.h"

namespace stateway::upstream::test {

inline ServiceOptions fixed(unsigned count) {
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
    tasks.spawn(one(*this, std::move(name), {}, deadline));
  }
  void start(std::string name, Attempts attempts) {
    tasks.spawn(one(*this, std::move(name), attempts, io::kNoDeadline));
  }
  static io::Task<void> one(Requests& r, std::string name, Attempts attempts, TimePoint deadline) {
    auto lease = co_await r.service.acquire(attempts, deadline);
    r.trace += name + (lease ? "+" : lease.error().code == Code::queue_full ? "full" : "none") + " ";
    if (lease) r.leases.push_back(std::move(*lease));
  }
  ServiceOnLoop& service;
  std::string trace;
  std::vector<Lease> leases;
  io::TaskGroup tasks;
};

inline io::Task<void> until(io::Loop& loop, std::function<bool()> holds) {
  (void)co_await eventually(loop, holds);
}

}  // namespace stateway::upstream::test
