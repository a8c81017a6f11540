#include "session/cookie.h"

#include <algorithm>

#include "http/cookies.h"

namespace stateway::session {

bool is_secure(const SessionOptions& kind, bool came_by_tls) {
  switch (kind.secure) {
    case Secure::always:
      return true;
    case Secure::never:
      return false;
    case Secure::auto_:
      return came_by_tls;
  }
  return true;
}

std::string cookie_name(const SessionOptions& kind, bool came_by_tls) {
  return is_secure(kind, came_by_tls) ? "__Host-" + kind.cookie : kind.cookie;
}

std::string cookie_field(const Slot& slot, WallMillis now) {
  const std::string name = cookie_name(*slot.kind, slot.came_by_tls);
  const bool set = slot.cookie == Slot::Cookie::set;
  http::SetCookie cookie{.name = name,
                         .value = set ? slot.cookie_value.reveal() : std::string_view(),
                         .secure = is_secure(*slot.kind, slot.came_by_tls)};
  if (!set)
    cookie.max_age = 0;
  else if (slot.kind->persistent)
    cookie.max_age = std::max<WallMillis>(0, (slot.record.absolute_expires - now) / 1000);
  return http::set_cookie(cookie);
}

}  // namespace stateway::session
