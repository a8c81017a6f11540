#include "session/sessions.h"

#include "base/check.h"

namespace stateway::session {

// The one place that knows which rules a placement has.
PlacementRules& Sessions::rules(const Slot& slot) {
  switch (slot.kind->placement) {
    case Placement::client:
    case Placement::store:
    case Placement::hybrid:
      return documents_;
    case Placement::instance:
      return instance_;
  }
  CHECK(false);
}

namespace {

Slot blank(const SessionOptions& kind, bool came_by_tls) {
  Slot slot;
  slot.kind = &kind;
  slot.came_by_tls = came_by_tls;
  return slot;
}

}  // namespace

io::Task<Result<Slot>> Sessions::open(io::Loop& loop, const SessionOptions& kind, bool came_by_tls,
                                      http::CookieValues cookies) {
  Slot slot = blank(kind, came_by_tls);
  PlacementRules& placed = rules(slot);
  for (const std::string_view cookie : cookies) {
    auto opened = co_await placed.open(loop, slot, cookie);
    if (!opened) co_return pass_on(std::move(opened));
    slot.fresh = !*opened;
    if (*opened) co_return slot;
    slot = blank(kind, came_by_tls);
  }
  placed.begin(slot);
  co_return slot;
}

Result<void> Sessions::lose_instance(Slot& slot) {
  if (slot.kind->on_lost_instance == OnLostInstance::fail)
    return fail(Code::instance_lost, Side::upstream,
                "the instance that has session " + std::string(slot.ticket.id_text()) + " is gone");
  slot = blank(*slot.kind, slot.came_by_tls);
  rules(slot).begin(slot);
  return {};
}

}  // namespace stateway::session
