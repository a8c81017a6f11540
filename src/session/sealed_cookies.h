// Cookies that hold more than a ticket: opened into a slot, and sealed from one.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "session/key_ring.h"
#include "session/sealed_session.h"
#include "session/slot.h"

namespace stateway::session {

/// Thread-safe. `keys` must be in use before the first call.
class SealedCookies {
 public:
  SealedCookies(KeyRing& keys, const WallClock& clock) : keys_(keys), clock_(clock) {}

  /// What the cookie's value holds, for the name it has in the slot's exchange. nullopt: it was not sealed
  /// for it, is not what we seal, or has expired. Errors: store_unavailable, when the keys cannot be read.
  io::Task<Result<std::optional<SealedSession>>> open(io::Loop& loop, const Slot& slot,
                                                      std::string_view cookie);
  /// A quarter of the idle time has passed: each exchange before that costs no cookie.
  bool slides(const Slot& slot, const SealedSession& held) const;

  /// The slot's session as it is now, whose truth is the client or an instance: a cookie's value.
  Secret seal(const Slot& slot);
  /// Octets of the cookie's name and value if the client held this document.
  static std::size_t cookie_bytes(const Slot& slot, std::size_t principal_bytes, std::size_t document_bytes);

 private:
  KeyRing& keys_;
  const WallClock& clock_;
};

}  // namespace stateway::session
