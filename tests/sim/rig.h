// For the tests of time-outs: a gateway in a network without faults, a client's and an instance's hands.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "gateway.h"
#include "io/test_loop.h"
#include "peer.h"
#include "store.h"
#include "store/memory.h"

namespace stateway::sim {

inline const Address kFrontDoor{.host = "10.0.0.1", .port = 80};
inline const Address kInstance{.host = "10.0.1.1", .port = 9001};

/// What a test that is not about it takes for granted: one service of one instance, a session on /s.
inline constexpr std::string_view kSite = R"(
[gateway]
session_address = "10.0.0.1:9000"
[[listen]]
address = "10.0.0.1:80"
[session.s]
secure = "never"
[[route]]
path = "/"
service = "web"
[[route]]
path = "/s"
service = "web"
session = "s"
)";

class Rig {
 public:
  /// `toml` comes behind kSite; it defines [service.web].
  /// `adjust` sets what the file does not take yet.
  explicit Rig(std::string_view toml, void (*adjust)(config::Config&) = nullptr);

  /// Runs a test's coroutine to its end.
  void run(io::Task<void> task) { io::run_until_done(loop, std::move(task), kFar); }
  /// Lets time pass.
  io::SleepUntil pass(Duration d) { return io::sleep_for(loop, d); }
  /// A client's connection to the gateway.
  io::Task<std::unique_ptr<Peer>> connect(bool reads = true);
  /// A connection on which `octets` have been sent.
  io::Task<std::unique_ptr<Peer>> ask(std::string octets, bool reads = true);

  static constexpr Duration kFar = 48 * 3600s;

  SeededRandom random{1};
  io::SimLoop loop{random};
  io::SimNetwork network{loop, random};
  io::SimClock clock{loop};
  io::SimHost outside{network, "192.0.2.7"};
  io::SimHost front{network, "10.0.0.1"};
  io::SimHost machine{network, "10.0.1.1"};
  store::MemoryStore durable{clock, 1000};
  Store store{loop, random, durable, {}};
  config::Config config;
  std::unique_ptr<Gateway> gateway;
};

/// Enough for octets to arrive, and for an instance to be known to be up.
inline constexpr Duration kMoment = 15ms;

/// Runs a coroutine `Task<void>(Rig&)` in a rig with this configuration.
inline void in_rig(std::string_view toml, io::Task<void> (*body)(Rig&),
                   void (*adjust)(config::Config&) = nullptr) {
  Rig rig(toml, adjust);
  rig.run(body(rig));
}

/// What came holds this.
inline bool has(const std::string& got, std::string_view what) { return got.find(what) != std::string::npos; }
inline bool has(const Peer& peer, std::string_view what) { return has(peer.got(), what); }

}  // namespace stateway::sim
