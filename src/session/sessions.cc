#include "session/sessions.h"

#include <algorithm>

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

namespace {

// How often a turn that another gateway has is asked for.
constexpr Duration kAskAgainFirst = 2ms;
constexpr Duration kAskAgainMost = 50ms;

}  // namespace

io::Task<Result<Turn>> Sessions::take_turn(io::Loop& loop, Slot& slot) {
  const TimePoint deadline = loop.now() + slot.kind->lane_wait;
  auto lane = co_await turns_.enter(loop, key_of(slot.ticket), deadline, slot.kind->lane_queue);
  if (!lane) co_return pass_on(std::move(lane));
  // A cookie's document is not the store's: there two gateways never see each other.
  if (slot.record.home != Home::client) {
    auto shared = co_await share_turn(loop, key_of(slot.ticket), deadline);
    if (!shared) co_return pass_on(std::move(shared));
    slot.shared_turn = std::move(*shared);
  }
  co_return Turn(std::move(*lane), slot.shared_turn);
}

io::Task<Result<std::shared_ptr<SharedTurn>>> Sessions::share_turn(io::Loop& loop, std::string key,
                                                                   TimePoint deadline) {
  store::Leases* const leases = store_.leases();
  if (leases == nullptr) co_return std::shared_ptr<SharedTurn>();
  for (Duration pause = kAskAgainFirst;; pause = std::min(2 * pause, kAskAgainMost)) {
    const auto token = co_await leases->take(loop, key, SharedTurn::kTtl);
    if (!token) co_return std::unexpected(token.error());
    if (*token != 0) co_return std::make_shared<SharedTurn>(*leases, loop, std::move(key), *token);
    if (loop.now() + pause >= deadline) break;
    co_await io::sleep_for(loop, pause);
  }
  co_return fail(Code::lane_full, Side::client,
                 "an exchange of this session at another gateway has the turn");
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
