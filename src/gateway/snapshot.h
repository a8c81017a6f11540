// One loaded configuration as the pipeline reads it. Immutable; shared by all loops; an exchange keeps the
// one it began with.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/options.h"
#include "route/table.h"
#include "session/options.h"
#include "upstream/options.h"

namespace stateway::gateway {

/// What the options of one route name, resolved.
struct RouteUse {
  std::size_t service = 0;             // index of the service
  std::optional<std::size_t> session;  // index of the session kind; none: stateless
  session::Overlap overlap = session::Overlap::last;
  bool reexecute = false;  // route.replay, as far as its session allows
};

struct Snapshot {
  GatewayOptions gateway;
  LogOptions log;
  LimitsOptions limits;
  std::vector<session::SessionOptions> sessions;
  std::vector<upstream::ServiceOptions> services;
  route::Table routes;
  std::vector<RouteUse> uses;             // by route
  std::vector<std::string> cookie_names;  // every name under which a session may come: never forwarded

  bool trusts(std::string_view peer) const {
    for (const PeerNetwork& n : gateway.trusted_proxies)
      if (n.contains(peer)) return true;
    return false;
  }
};

}  // namespace stateway::gateway
