// For tests: a supervised service whose processes are this test binary itself (test_service.h).
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/sockets.h"
#include "upstream/monitor.h"
#include "upstream/service_on_loop.h"
#include "upstream/supervisor.h"
#include "upstream/test_network.h"
#include "upstream/test_service.h"
#include "wire/client.h"

namespace stateway::upstream::test {

using Condition = std::function<bool()>;

/// A supervised service on one loop. Everything ends with it.
struct World {
  explicit World(ServiceOptions o)
      : folder(testing::TempDir() + "/stateway-upstream-" + std::to_string(getpid())),
        service(std::move(o), clock),
        on_loop(service, loop, network, random, {}) {
    std::filesystem::create_directory(folder);
    options.folder = folder;
    options.output = [this](const Instance& instance, std::string_view line) {
      output.push_back(instance.name() + ": " + std::string(line));
    };
  }
  ~World() {
    supervisor.reset();
    std::filesystem::remove_all(folder);
  }
  /// Starts the service and runs `body`.
  void run(io::Task<void> body) {
    auto started = Supervisor::start(service, loop, nullptr, options);
    ASSERT_TRUE(started) << started.error().context;
    supervisor = std::move(*started);
    monitor.emplace(service, loop, network);
    io::run_until_done(loop, std::move(body), 60s);
  }
  Instance& instance(std::size_t i = 0) { return *service.roster()->instances[i]; }
  bool all(State state) const {
    return std::ranges::all_of(service.roster()->instances,
                               [state](const auto& i) { return i->state() == state; });
  }
  io::Task<bool> all_up() {
    const Condition up = [this] { return all(State::up); };
    co_return co_await eventually(loop, up);
  }

  io::EpollLoop loop;
  io::Worker resolver{"resolver"};
  io::SocketNetwork network{loop, resolver};
  SystemClock clock;
  SystemRandom random;
  std::string folder;
  Service service;
  ServiceOnLoop on_loop;
  SupervisorOptions options;
  std::vector<std::string> output;
  std::unique_ptr<Supervisor> supervisor;
  std::optional<Monitor> monitor;
};

/// One GET on a connection of its own; the body, or an empty text.
inline io::Task<std::string> get(World& w, std::string target) {
  Attempts attempts;
  auto lease = co_await w.on_loop.acquire(attempts, w.loop.now() + 20s);
  if (!lease) co_return "";
  auto stream = co_await w.network.connect(lease->instance().address(), w.loop.now() + 10s);
  if (!stream) co_return "";
  wire::Client client(std::move(*stream), {});
  wire::ClientRequest request;
  request.target = target;
  auto response = co_await client.exchange(request, w.loop.now() + 10s);
  co_return response ? response->body : "";
}

}  // namespace stateway::upstream::test
