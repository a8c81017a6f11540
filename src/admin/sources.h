// What the admin API shows and acts on. Everything is handed in by the wiring; nothing is looked up.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "gateway/counters.h"
#include "gateway/snapshot.h"
#include "io/loop.h"
#include "io/task.h"
#include "session/holders.h"
#include "session/key_ring.h"
#include "session/sessions.h"
#include "store/options.h"
#include "store/store.h"
#include "upstream/service.h"

namespace stateway::admin {

class Census;

/// Until when sessions of a kind may be where its placement was before; 0: nothing is known of any.
struct Outside {
  WallMillis in_cookies_until = 0;
  WallMillis at_instances_until = 0;
};

/// A key of the configuration and what it is set to, without secrets.
struct Setting {
  std::string section;
  std::string key;
  std::string value;
};

/// The configuration in force. Replaced by a reload, on the admin API's loop: whoever suspends keeps a copy.
struct InForce {
  std::shared_ptr<const gateway::Snapshot> snapshot;
  std::vector<std::shared_ptr<upstream::Service>> services;  // by index in snapshot->services
  std::vector<Setting> settings;                             // in the order of the file's sections
  store::StoreOptions store;
  std::optional<Secret> token;   // that the API asks for; unset: none
  std::uint64_t generation = 0;  // 1 after the start, and one more after each reload
  WallMillis since = 0;
  WallMillis refused_at = 0;                              // 0: since then no reload was refused
  std::vector<std::string> problems;                      // of the one that was refused last
  std::map<std::string, Outside, std::less<>> outside{};  // by kind; what this process has seen

  Outside outside_of(std::string_view kind) const {
    const auto found = outside.find(kind);
    return found == outside.end() ? Outside() : found->second;
  }
};

/// What became of a reload.
struct ReloadOutcome {
  std::vector<std::string> changes{};   // in words; none if the file has not changed
  std::vector<std::string> problems{};  // "F:line:col: message"; if there are any, nothing has changed
};

/// Belongs to the admin API's loop, on which its functions are called; what it refers to must outlive the
/// API.
struct Sources {
  io::Loop& loop;
  const WallClock& clock;
  store::StateStore& store;
  const InForce& in_force;
  session::KeyRing& keys;
  const session::Sessions& sessions;
  const session::Holders& holders;
  const Census& census;
  const gateway::Counters& counters;
  const std::atomic<bool>& draining;
  /// Ends the process of a supervised instance and starts it again; returns at once. Errors: not_found.
  std::function<Result<void>(std::string_view service, std::string_view instance)> restart;
  /// Makes the processes of a supervised service what its roster asks for; returns at once.
  std::function<void(std::string_view service)> apply;
  /// Reads the configuration again and puts it in force; completes when all of it is, or none of it.
  /// Errors: draining.
  std::function<io::Task<Result<ReloadOutcome>>()> reload;
  /// Begins to move all that the previous store has left, beside the traffic. Errors: conflict: there is no
  /// previous store.
  std::function<Result<void>()> move_rest;
  /// What became of that: "no", "running", "done" or "failed".
  std::function<std::string_view()> copying;
  std::string_view version;  // of the program
  int pid = 0;
  TimePoint started{};  // of the program, by the loop's clock
};

}  // namespace stateway::admin
