// What of a request decides which instance it goes to, on routes that say so.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stateway::route {

struct Affinity {
  enum class Kind : std::uint8_t {
    header,     // the value of a field
    path,       // a segment of the path
    query,      // the value of a parameter
    client_ip,  // the address of the client, as trusted proxies tell it
  };
  Kind kind = Kind::client_ip;
  std::string name{};    // header, query
  unsigned segment = 0;  // path: from 1

  bool operator==(const Affinity&) const = default;
};

/// Segments of a path that can be named.
inline constexpr unsigned kAffinitySegmentMax = 100;

/// Reads "header:NAME", "path:N", "query:NAME" or "client_ip". Errors: invalid_argument with one sentence
/// that does not repeat `text`. Pure.
Result<Affinity> parse_affinity(std::string_view text);

/// The form parse_affinity reads.
std::string to_string(const Affinity& affinity);

}  // namespace stateway::route
