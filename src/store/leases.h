// Turns at one session across gateways.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "io/loop.h"
#include "io/task.h"

namespace stateway::store {

/// Who holds the lease of a key may commit with Batch::lease; whoever lost it finds out there (lease_lost),
/// however long it slept. Time is the store's own. Thread-safe.
class Leases {
 public:
  /// Of a store's own tokens. Who stands in front of it (outage/, switch.h) marks some by a bit above, which
  /// the store is never shown.
  static constexpr std::uint64_t kTokenMax = (std::uint64_t{1} << 53) - 1;

  virtual ~Leases() = default;

  /// Takes the lease of `key` for `ttl`. The token, at most kTokenMax, which no other holder ever has; 0:
  /// somebody else holds it. Errors: store_unavailable; then it may be held until `ttl` is over.
  virtual io::Task<Result<std::uint64_t>> take(io::Loop& loop, std::string key, Duration ttl) = 0;
  /// Holds it for `ttl` from now; does nothing when it is not `token`'s any more. Not awaited, may be lost.
  virtual void extend(io::Loop& loop, std::string_view key, std::uint64_t token, Duration ttl) = 0;
  /// Ends it if it is still `token`'s. Not awaited, may be lost.
  virtual void give_back(io::Loop& loop, std::string_view key, std::uint64_t token) = 0;
};

}  // namespace stateway::store
