// One function per section of the file: reads every key and checks what can be checked without the other
// sections. Problems go to the section's report.
#pragma once

#include <optional>
#include <string>

#include "config/config.h"
#include "config/section.h"

namespace stateway::config {

gateway::GatewayOptions read_gateway(const Section& section);
gateway::LogOptions read_log(const Section& section);
gateway::LimitsOptions read_limits(const Section& section);
gateway::ListenOptions read_listen(const Section& section);
gateway::AdminOptions read_admin(const Section& section);
store::StoreOptions read_store(const Section& section);
/// [store.previous], if there is one.
std::optional<store::StoreOptions> read_previous_store(const Section& store);
session::SessionOptions read_session(const std::string& name, const Section& section);
upstream::ServiceOptions read_service(const std::string& name, const Section& section);
route::RouteOptions read_route(const Section& section);

/// Names of sessions and services stand in cookies, paths of the admin API, metrics and logs:
/// [A-Za-z0-9_-]{1,64}.
void check_name(const std::string& name, const Section& section);

}  // namespace stateway::config
