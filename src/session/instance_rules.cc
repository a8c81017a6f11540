#include "session/instance_rules.h"
#include "store/batch.h"

namespace stateway::session {

io::Task<Result<bool>> InstanceRules::open(io::Loop& loop, Slot& slot, std::string_view cookie) {
  auto held = co_await cookies_.open(loop, slot, cookie);
  if (!held) co_return pass_on(std::move(held));
  const SealedPlace* place = *held ? (*held)->place() : nullptr;
  if (place == nullptr) co_return false;
  slot.ticket = (*held)->ticket;
  slot.brought = Home::instance;
  slot.stored = place->recorded ? 1 : 0;  // some record there must be: without it the session has expired
  slot.record.created = (*held)->created;
  slot.record.absolute_expires = (*held)->absolute_expires;
  slot.record.document = "{}";
  auto opened = co_await records_.open(loop, slot);
  if (!opened) co_return pass_on(std::move(opened));
  if (*opened != Records::Opened::found || slot.record.home != Home::instance) co_return false;
  slot.pinned = place->instance;
  slot.cookie_is_due = cookies_.slides(slot, **held);
  co_return true;
}

void InstanceRules::begin(Slot& slot) {
  slot.ticket = make_ticket(random_);
  slot.record.kind = slot.kind->name;
  slot.record.home = Home::instance;
  slot.record.created = clock_.now();
  slot.record.absolute_expires = clock_.now() + slot.kind->absolute.count();
  slot.record.document = "{}";
  slot.cookie_is_due = true;
}

// The service has logged somebody in or out in its memory already. Where that cannot be kept here, whoever
// holds an older cookie must not come upon it.
io::Task<Result<void>> InstanceRules::commit(io::Loop& loop, Slot& slot, Overlap overlap) {
  auto kept = co_await keep(loop, slot, overlap);
  if (!store::is_applied(kept) && (slot.renew || slot.end) && !slot.fresh) records_.bar(slot);
  co_return kept;
}

io::Task<Result<void>> InstanceRules::keep(io::Loop& loop, Slot& slot, Overlap overlap) {
  if (!slot.patches.empty())
    co_return fail(Code::bad_patch, Side::upstream,
                   "sessions of [session." + slot.kind->name +
                       "] live at their instances (placement = \"instance\"): there is no document to patch");
  Result<void> committed;
  if (slot.end) {
    if (!slot.fresh) committed = co_await records_.commit(loop, slot, overlap);
    if (store::is_applied(committed)) slot.cookie = Slot::Cookie::clear;
    co_return committed;
  }
  if (slot.renew) {
    committed = co_await records_.commit(loop, slot, overlap);
    if (!store::is_applied(committed)) co_return committed;
  } else if (!slot.fresh) {
    // Nothing has to be kept, so that a store in trouble costs the slide only, not the answer.
    const auto current = co_await is_current(loop, slot);
    if (!current || !*current) co_return Result<void>{};
  }
  slot.cookie = Slot::Cookie::set;
  slot.cookie_value = cookies_.seal(slot);
  co_return committed;
}

// Whether the slot's ticket still opens the session. Another exchange may have renewed it meanwhile: its
// client must not get the old ticket again, in place of the new one.
io::Task<Result<bool>> InstanceRules::is_current(io::Loop& loop, const Slot& slot) {
  Slot again;
  again.kind = slot.kind;
  again.ticket = slot.ticket;
  again.brought = Home::instance;
  again.stored = slot.stored;
  auto opened = co_await records_.open(loop, again);
  if (!opened) co_return pass_on(std::move(opened));
  co_return *opened == Records::Opened::found&& again.stored == slot.stored;
}

}  // namespace stateway::session
