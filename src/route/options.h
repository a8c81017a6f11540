// [[route]] of the configuration. Plain values, immutable once loaded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "route/affinity.h"

namespace stateway::route {

/// What becomes of an unsafe request that was sent and never answered.
enum class Replay : std::uint8_t {
  reject,     // its outcome is unknown: 502
  reexecute,  // sent to another instance; right when its only effect is the patch
};

struct RouteOptions {
  std::string path = "/";              // normalized prefix of whole segments; no trailing slash but in "/"
  std::optional<std::string> host;     // lower case, no port, IPv6 in brackets; exact
  std::vector<std::string> methods;    // upper case; empty: all
  std::string service;                 // the name of a ServiceOptions
  std::optional<std::string> session;  // the name of a SessionOptions; unset: stateless
  std::vector<std::string>
      origins;  // besides our own: "https://host" or "https://host:port", no default ports
  std::uint64_t max_body_bytes = 0;  // 0 = unlimited, streamed
  std::optional<Affinity> affinity;  // requests with the same key go to the same instance
  Replay replay = Replay::reject;    // reexecute only with a session
  bool operator==(const RouteOptions&) const = default;
};

}  // namespace stateway::route
