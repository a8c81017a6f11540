// What of an exchange decides which instance it goes to.
#pragma once

#include <cstdint>
#include <optional>

#include "gateway/exchange.h"

namespace stateway::gateway {

/// The hash of the key that the route's affinity names, or else, where the service's balance is hash or the
/// session's placement hybrid, of the session's public id. nullopt: there is none, as when the request lacks
/// the field, segment or parameter, or has it empty. The same on every loop, in every run, and at every
/// gateway. After route and identify.
std::optional<std::uint64_t> affinity_key(const Exchange& x);

/// The address of the client: that of the peer, unless it is trusted; then the last one in X-Forwarded-For,
/// or else Forwarded, that is not trusted itself, or the first one if all are. A view into either. Pure.
std::string_view client_address(const http::Fields& received, std::string_view peer, const Snapshot& config);
/// The segment of a normalized path, counted from 1; empty if there are fewer. Pure.
std::string_view path_segment(std::string_view path, unsigned number);
/// The value of the first parameter `name` of a query (with its '?'), as it is written: who spells one value
/// in two ways has two keys. Empty if there is none. Pure.
std::string_view query_value(std::string_view query, std::string_view name);

}  // namespace stateway::gateway
