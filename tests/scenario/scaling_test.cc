// Instances come and go under load: no request fails, and soon each of them does its share.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>

#include "cart_load.h"

namespace stateway::scenario {
namespace {

/// Safe and unsafe requests by turns; who answered each.
class Counted final : public lab::Workload {
 public:
  wire::ClientRequest make(const lab::Turn& turn) override {
    return {.method = turn.sequence % 2 == 0 ? "GET" : "POST", .target = "/o/slow?ms=3"};
  }
  void done(const lab::Turn&, const lab::Outcome& outcome) override {
    const std::string* by =
        outcome.response == nullptr ? nullptr : outcome.response->field("Stateway-Instance");
    if (by != nullptr) ++answers[*by];
    ++total;
  }

  std::map<std::string, unsigned> answers;  // by instance, since the window began
  unsigned total = 0;                       // of the window
};

class Scaling : public Site {
 protected:
  void begin() {
    std::string config = origin_config();
    config.insert(config.find("socket = true"), "count = 3\n");
    start(config);
    wait_until_all_are_up();
    const lab::LoadOptions options{
        .target = gateway->clients(),
        .clients = 24,
        .rate = static_cast<double>(setting("STATEWAY_SCENARIO_RATE", is_sanitized() ? 300 : 1'000)),
        .duration = 240s};
    load = std::make_unique<lab::Load>(lab.loop, lab.network, options, workload);
  }

  io::Task<Result<wire::ClientResponse>> call(std::string_view method, std::string path,
                                              std::string body = "") {
    const TimePoint deadline = lab.loop.now() + 20s;
    auto stream = co_await lab.network.connect(gateway->admin(), deadline);
    if (!stream) co_return pass_on(std::move(stream));
    wire::Client client(std::move(*stream), {});
    const std::string host = to_string(gateway->admin());
    wire::ClientRequest request;
    request.method = method;
    request.target = path;
    request.host = host;
    request.fields.emplace_back("Content-Type", "application/json");
    request.body = std::move(body);
    co_return co_await client.exchange(request, deadline);
  }
  io::Task<void> order(std::string path, std::string body = "") {
    const auto answered = co_await call("POST", path, std::move(body));
    EXPECT_TRUE(answered && answered->status < 300) << path;
  }

  /// Sorted.
  io::Task<std::vector<std::string>> states() {
    const auto infos = co_await lab::read_services(lab.network, gateway->admin(), lab.loop.now() + 20s);
    std::vector<std::string> out;
    if (infos)
      for (const lab::InstanceInfo& i : *infos) out.push_back(i.state);
    std::ranges::sort(out);
    co_return out;
  }
  io::Task<void> settle(std::vector<std::string> expected) {
    const TimePoint limit = lab.loop.now() + 60s;
    while (co_await states() != expected && lab.loop.now() < limit) co_await io::sleep_for(lab.loop, 5ms);
    EXPECT_LT(lab.loop.now(), limit) << "it did not settle";
  }

  /// Whether each of `names` had what is even, within a fifth, and nobody else anything.
  bool is_even(const std::vector<std::string>& names) const {
    const double even = static_cast<double>(workload.total) / static_cast<double>(names.size());
    if (workload.answers.size() != names.size()) return false;
    return std::ranges::all_of(names, [&](const std::string& name) {
      const auto found = workload.answers.find(name);
      return found != workload.answers.end() && std::abs(found->second - even) <= even / 5;
    });
  }

  /// Windows of requests, one after the other, until one is shared evenly by these instances and nobody else.
  io::Task<void> evens_out(std::vector<std::string> names, TimePoint changed) {
    const unsigned window = 250 * static_cast<unsigned>(names.size());
    for (int i = 0; i < 8; ++i) {
      workload.answers.clear();
      workload.total = 0;
      while (workload.total < window) co_await io::sleep_for(lab.loop, 1ms);
      if (!is_even(names)) continue;
      const std::chrono::duration<double> after = lab.loop.now() - changed;
      std::cout << fmt::format("{} instances: even over {} requests, {:.2f} s after the change\n",
                               names.size(), workload.total, after.count());
      co_return;
    }
    ADD_FAILURE() << testing::PrintToString(workload.answers);
  }

  void run(io::Task<void> script) {
    const lab::LoadReport report = play(lab, *load, std::move(script));
    EXPECT_EQ(report.ok, report.turns()) << "a request failed";
  }

  Lab lab;
  Counted workload;
  std::unique_ptr<lab::Load> load;
};

std::vector<std::string> names(unsigned count, std::string_view but = "") {
  std::vector<std::string> out;
  for (unsigned i = 1; i <= count; ++i)
    if (const std::string name = fmt::format("origin-{}", i); name != but) out.push_back(name);
  return out;
}

class ScaleUpAndDown : public Scaling {
 protected:
  io::Task<void> script() {
    co_await evens_out(names(3), lab.loop.now());
    for (const unsigned count : {6u, 2u}) {
      const TimePoint changed = lab.loop.now();
      co_await order("/v1/services/origin/scale", fmt::format("{{\"count\":{}}}", count));
      std::vector<std::string> states(count, "up");
      co_await settle(std::move(states));
      co_await evens_out(names(count), changed);
    }
    load->stop();
  }
};

TEST_F(ScaleUpAndDown, FromThreeToSixToTwoNoRequestFails) {
  begin();
  run(script());
}

class DrainEach : public Scaling {
 protected:
  io::Task<void> script() {
    for (const std::string& name : names(3)) {
      TimePoint changed = lab.loop.now();
      co_await order("/v1/services/origin/instances/" + name + "/drain");
      std::vector<std::string> one_drains = {"draining", "up", "up"};
      co_await settle(std::move(one_drains));
      co_await evens_out(names(3, name), changed);
      changed = lab.loop.now();
      co_await order("/v1/services/origin/instances/" + name + "/undrain");
      co_await evens_out(names(3), changed);
    }
    load->stop();
  }
};

TEST_F(DrainEach, OneAfterTheOtherNoRequestFails) {
  begin();
  run(script());
}

class RestartEach : public Scaling {
 protected:
  io::Task<void> script() {
    for (const std::string& name : names(3)) {
      const TimePoint changed = lab.loop.now();
      co_await order("/v1/services/origin/instances/" + name + "/restart");
      co_await evens_out(names(3), changed);
    }
    load->stop();
  }
};

TEST_F(RestartEach, OneAfterTheOtherNoRequestFails) {
  begin();
  run(script());
}

}  // namespace
}  // namespace stateway::scenario
