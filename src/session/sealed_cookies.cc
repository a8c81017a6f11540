#include "session/sealed_cookies.h"

#include <algorithm>

#include "session/cookie.h"

namespace stateway::session {
namespace {

constexpr WallMillis kSlideShare = 4;

}  // namespace

io::Task<Result<std::optional<SealedSession>>> SealedCookies::open(io::Loop& loop, const Slot& slot,
                                                                   std::string_view cookie) {
  const std::string name = cookie_name(*slot.kind, slot.came_by_tls);
  auto contents = co_await keys_.open(loop, name, cookie, slot.kind->absolute);
  if (!contents) co_return pass_on(std::move(contents));
  std::optional<SealedSession> held;
  if (*contents) held = decode_sealed(**contents);
  const WallMillis now = clock_.now();
  // Also by today's idle time, should it have become shorter: the records that outdate older cookies go by
  // it.
  if (held && (now >= held->absolute_expires || now >= held->idle_expires ||
               now - held->sealed_at >= slot.kind->idle.count()))
    held.reset();
  co_return held;
}

bool SealedCookies::slides(const Slot& slot, const SealedSession& held) const {
  const WallMillis idle = slot.kind->idle.count();
  const WallMillis end = std::min(clock_.now() + idle, held.absolute_expires);
  return end - held.idle_expires >= idle / kSlideShare;
}

Secret SealedCookies::seal(const Slot& slot) {
  const WallMillis now = clock_.now();
  SealedSession out{
      .ticket = slot.ticket,
      .created = slot.record.created,
      .absolute_expires = slot.record.absolute_expires,
      .sealed_at = now,
      .idle_expires = std::min(now + slot.kind->idle.count(), slot.record.absolute_expires),
      .holds = {},
  };
  if (slot.record.home == Home::instance)
    out.holds = SealedPlace{.instance = slot.answered_by, .recorded = slot.stored > 0};
  else
    out.holds = SealedDocument{slot.version, slot.principal, slot.record.document};
  return Secret(keys_.seal(cookie_name(*slot.kind, slot.came_by_tls), encode_sealed(out)));
}

std::size_t SealedCookies::cookie_bytes(const Slot& slot, std::size_t principal_bytes,
                                        std::size_t document_bytes) {
  return cookie_name(*slot.kind, slot.came_by_tls).size() +
         sealed_size(sealed_document_bytes(principal_bytes, document_bytes));
}

}  // namespace stateway::session
