// The session's cookie: its name and how it is set.
#pragma once

#include <string>

#include "base/clock.h"
#include "session/slot.h"

namespace stateway::session {

/// Whether an exchange of this kind is secure: as configured, or as the client came.
bool is_secure(const SessionOptions& kind, bool came_by_tls);
/// With the __Host- prefix when secure; a secure exchange reads only that name.
std::string cookie_name(const SessionOptions& kind, bool came_by_tls);
/// The Set-Cookie value for slot.cookie, which is set or clear.
std::string cookie_field(const Slot& slot, WallMillis now);

}  // namespace stateway::session
