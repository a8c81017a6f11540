// What only several sections together can get wrong: names that lead nowhere, and things that are taken
// twice.
#pragma once

#include <vector>

#include "config/config.h"
#include "config/section.h"

namespace stateway::config {

/// The sections a Config was read from; the vectors run parallel to those of the Config.
struct Origins {
  Section gateway;
  Section admin;
  Section store;
  std::vector<Section> listen;
  std::vector<Section> sessions;
  std::vector<Section> services;
  std::vector<Section> routes;
};

/// Adds problems and warnings to `report`.
void check_together(const Config& config, const Origins& origins, Report& report);

}  // namespace stateway::config
