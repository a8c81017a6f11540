// What a reload would change, from what the running gateway shows of itself and the file that is to follow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"

namespace stateway {

/// What the gateway says of the sessions of one kind.
struct KindInForce {
  std::string name;
  std::string counted_at{};  // as the admin API says it; empty: not yet
  std::uint64_t live = 0;    // of which the store had the documents then
};

struct Effect {
  std::vector<std::string> changes;   // in words, in the order of the file
  std::vector<std::string> restarts;  // "store.path: a → b": with any of these a reload is refused

  bool refused() const { return !restarts.empty(); }
  bool nothing() const { return changes.empty() && restarts.empty(); }
};

/// `in_force` are the gateway's settings, `restart` unset in them; `next` those of the file. Pure.
Effect effect_of(const std::vector<config::Setting>& in_force, const std::vector<config::Setting>& next,
                 const std::vector<KindInForce>& kinds);

}  // namespace stateway
