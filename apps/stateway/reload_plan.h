// What a reload has to do, from the configuration in force and the one that is to follow it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"

namespace stateway {

struct ReloadPlan {
  enum class Fate : std::uint8_t {
    kept,     // nothing about it has changed
    changed,  // the same service with other options
    started,  // a new one; also when fixed addresses take the place of a command, or the other way round
  };

  std::vector<std::optional<std::size_t>> listen;  // for each next one: which of those in force it is, if any
  std::vector<Fate> services;                      // for each next one
  std::vector<std::string> changes;  // all of them in words, in the order of the file's sections
};

/// `next` asks for nothing that needs a restart (config::needing_restart). Pure.
ReloadPlan plan_reload(const config::Config& in_force, const config::Config& next);

}  // namespace stateway
