#include "session/sessions.h"

#include "base/check.h"

namespace stateway::session {

// The one place that knows which rules a placement has.
PlacementRules& Sessions::rules(const Slot& slot) {
  switch (slot.kind->placement) {
    case Placement::store:
      return store_;
    case Placement::instance:
      return instance_;
  }
  CHECK(false);
}

io::Task<Result<Slot>> Sessions::open(io::Loop& loop, const SessionOptions& kind, bool came_by_tls,
                                      http::CookieValues cookies) {
  Slot slot;
  slot.kind = &kind;
  slot.came_by_tls = came_by_tls;
  PlacementRules& placed = rules(slot);
  for (const std::string_view cookie : cookies) {
    auto opened = co_await placed.open(loop, slot, cookie);
    if (!opened) co_return pass_on(std::move(opened));
    slot.fresh = !*opened;
    if (*opened) co_return slot;
  }
  placed.begin(slot);
  co_return slot;
}

}  // namespace stateway::session
