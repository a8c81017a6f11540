// What the admin API shows and acts on. Everything is handed in by the wiring; nothing is looked up.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "gateway/counters.h"
#include "gateway/snapshot.h"
#include "io/loop.h"
#include "store/options.h"
#include "store/store.h"
#include "upstream/service.h"

namespace stateway::admin {

/// The configuration in force. Replaced by a reload, on the admin API's loop: whoever suspends keeps a copy.
struct InForce {
  std::shared_ptr<const gateway::Snapshot> snapshot;
  std::vector<std::shared_ptr<upstream::Service>> services;  // by index in snapshot->services
};

/// Belongs to the admin API's loop, on which `restart` and `apply` are called; what it refers to must outlive
/// the API.
struct Sources {
  io::Loop& loop;
  const WallClock& clock;
  store::StateStore& store;
  const store::StoreOptions& store_options;
  const InForce& in_force;
  const gateway::Counters& counters;
  const std::atomic<bool>& draining;
  /// Ends the process of a supervised instance and starts it again; returns at once. Errors: not_found.
  std::function<Result<void>(std::string_view service, std::string_view instance)> restart;
  /// Makes the processes of a supervised service what its roster asks for; returns at once.
  std::function<void(std::string_view service)> apply;
  std::string_view version;  // of the program
  int pid = 0;
  TimePoint started{};  // of the program, by the loop's clock
};

}  // namespace stateway::admin
