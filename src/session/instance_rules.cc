#include "session/instance_rules.h"

#include "session/cookie.h"
#include "session/mapping.h"

namespace stateway::session {
namespace {

// The idle time slides when this share of it has passed: each exchange before that costs no cookie.
constexpr WallMillis kSlideShare = 4;

}  // namespace

io::Task<Result<bool>> InstanceRules::open(io::Loop& loop, Slot& slot, std::string_view cookie) {
  const std::string name = cookie_name(*slot.kind, slot.came_by_tls);
  auto contents = co_await keys_.open(loop, name, cookie, slot.kind->absolute);
  if (!contents) co_return pass_on(std::move(contents));
  const std::optional<Mapping> mapping = *contents ? decode_mapping(**contents) : std::nullopt;
  if (!mapping) co_return false;
  const WallMillis idle_for = clock_.now() - mapping->sealed_at;
  if (clock_.now() >= mapping->absolute_expires || idle_for >= slot.kind->idle.count()) co_return false;
  if (barred_.contains(mapping->ticket.id_text())) co_return false;

  auto opened = co_await records_.open(loop, slot, mapping->ticket);
  if (!opened) co_return pass_on(std::move(opened));
  // A record that was there and is no more has expired, and the session with it.
  if (*opened == Records::Opened::refused || (*opened == Records::Opened::none && mapping->recorded))
    co_return false;
  if (*opened == Records::Opened::none) {
    slot.ticket = mapping->ticket;
    slot.record.kind = slot.kind->name;
    slot.record.created = mapping->created;
    slot.record.absolute_expires = mapping->absolute_expires;
    slot.record.document = "{}";
  }
  slot.pinned = mapping->instance;
  slot.cookie_is_due = idle_for >= slot.kind->idle.count() / kSlideShare;
  co_return true;
}

void InstanceRules::begin(Slot& slot) {
  slot.ticket = make_ticket(random_);
  slot.record = {};
  slot.record.kind = slot.kind->name;
  slot.record.created = clock_.now();
  slot.record.absolute_expires = clock_.now() + slot.kind->absolute.count();
  slot.record.document = "{}";
  slot.version = 0;
  slot.principal.clear();
  slot.pinned.reset();
  slot.fresh = true;
  slot.cookie_is_due = true;
}

// A session without a record may have got one since: it was renewed or ended, and who holds its old cookie
// gets no further.
io::Task<Result<void>> InstanceRules::reload(io::Loop& loop, Slot& slot) {
  slot.forget_wishes();
  if (!barred_.contains(slot.ticket.id_text())) {
    if (slot.version > 0) co_return co_await records_.reload(loop, slot);
    const auto current = co_await is_current(loop, slot);
    if (!current) co_return std::unexpected(current.error());
    if (*current) co_return Result<void>{};
  }
  co_return fail(Code::session_ended, Side::client, "the session was renewed or ended meanwhile");
}

// The service has logged somebody in or out in its memory already. Where that cannot be kept here, whoever
// holds an older cookie must not come upon it.
io::Task<Result<void>> InstanceRules::commit(io::Loop& loop, Slot& slot, Overlap overlap) {
  auto kept = co_await keep(loop, slot, overlap);
  if (!kept && (slot.renew || slot.end) && !slot.fresh)
    barred_.add(std::string(slot.ticket.id_text()), slot.record.absolute_expires, clock_.now());
  co_return kept;
}

io::Task<Result<void>> InstanceRules::keep(io::Loop& loop, Slot& slot, Overlap overlap) {
  if (!slot.patches.empty())
    co_return fail(Code::bad_patch, Side::upstream,
                   "sessions of [session." + slot.kind->name +
                       "] live at their instances (placement = \"instance\"): there is no document to patch");
  if (slot.end) {
    if (!slot.fresh) {
      if (auto committed = co_await records_.commit(loop, slot, overlap); !committed) co_return committed;
    }
    slot.cookie = Slot::Cookie::clear;
    co_return Result<void>{};
  }
  if (slot.renew) {
    if (auto committed = co_await records_.commit(loop, slot, overlap); !committed) co_return committed;
  } else if (!slot.fresh) {
    // Nothing has to be kept, so that a store in trouble costs the slide only, not the answer.
    const auto current = co_await is_current(loop, slot);
    if (!current || !*current) co_return Result<void>{};
  }
  slot.cookie = Slot::Cookie::set;
  slot.cookie_value = Secret(sealed(slot));
  co_return Result<void>{};
}

// Whether the slot's ticket still opens the session. Another exchange may have renewed it meanwhile: its
// client must not get the old ticket again, in place of the new one.
io::Task<Result<bool>> InstanceRules::is_current(io::Loop& loop, const Slot& slot) {
  Slot again;
  again.kind = slot.kind;
  auto opened = co_await records_.open(loop, again, slot.ticket);
  if (!opened) co_return pass_on(std::move(opened));
  co_return *opened == (slot.version > 0 ? Records::Opened::live : Records::Opened::none);
}

std::string InstanceRules::sealed(const Slot& slot) {
  const Mapping mapping{.ticket = slot.ticket,
                        .instance = slot.answered_by,
                        .created = slot.record.created,
                        .absolute_expires = slot.record.absolute_expires,
                        .sealed_at = clock_.now(),
                        .recorded = slot.version > 0};
  return keys_.seal(cookie_name(*slot.kind, slot.came_by_tls), encode_mapping(mapping));
}

Result<void> InstanceRules::lose_instance(Slot& slot) {
  if (slot.kind->on_lost_instance == OnLostInstance::fail)
    return fail(Code::instance_lost, Side::upstream,
                "the instance that has session " + std::string(slot.ticket.id_text()) + " is gone");
  begin(slot);
  return {};
}

}  // namespace stateway::session
