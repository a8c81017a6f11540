// From a loaded configuration to what the pipeline reads and the admin API shows.
#pragma once

#include <memory>
#include <vector>

#include "admin/sources.h"
#include "config/config.h"
#include "gateway/snapshot.h"

namespace stateway {

/// Names become indices; the configuration has been checked, so they exist.
std::shared_ptr<gateway::Snapshot> make_snapshot(const config::Config& configuration);
/// The same with limits.connections lowered, and a warning logged, where descriptors allow fewer.
std::shared_ptr<const gateway::Snapshot> make_fitted_snapshot(const config::Config& configuration);

/// Makes this what is shown as in force; it is one generation more.
void show(admin::InForce& shown, const config::Config& configuration,
          std::shared_ptr<const gateway::Snapshot> snapshot,
          std::vector<std::shared_ptr<upstream::Service>> services, WallMillis now);

/// The longest document that a session of any kind may have.
std::size_t document_bytes_max(const config::Config& configuration);

}  // namespace stateway
