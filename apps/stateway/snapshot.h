// From a loaded configuration to what the pipeline reads.
#pragma once

#include <memory>

#include "config/config.h"
#include "gateway/snapshot.h"

namespace stateway {

/// Names become indices; the configuration has been checked, so they exist.
std::shared_ptr<const gateway::Snapshot> make_snapshot(const config::Config& configuration);

}  // namespace stateway
