#include "session/document_rules.h"
#include "store/batch.h"

namespace stateway::session {

io::Task<Result<bool>> DocumentRules::open(io::Loop& loop, Slot& slot, std::string_view cookie) {
  const std::optional<Ticket> ticket = parse_ticket(cookie);
  if (!ticket) co_return co_await open_sealed(loop, slot, cookie);
  slot.ticket = *ticket;
  slot.brought = Home::store;
  auto opened = co_await records_.open(loop, slot);
  if (!opened) co_return pass_on(std::move(opened));
  if (*opened != Records::Opened::found) co_return false;
  const Home wanted =
      Records::home_for(slot, slot.record.home, slot.principal.size(), slot.record.document.size());
  slot.cookie_is_due = wanted != Home::store || slot.record.home != Home::store;
  co_return true;
}

io::Task<Result<bool>> DocumentRules::open_sealed(io::Loop& loop, Slot& slot, std::string_view cookie) {
  auto held = co_await cookies_.open(loop, slot, cookie);
  if (!held) co_return pass_on(std::move(held));
  if (!*held) co_return false;
  slot.ticket = (*held)->ticket;
  slot.record.created = (*held)->created;
  slot.record.absolute_expires = (*held)->absolute_expires;
  if (const SealedDocument* document = (*held)->document()) {
    slot.brought = Home::client;
    slot.version = slot.held = document->version;
    slot.principal = document->principal;
    slot.record.document = document->document;
  } else {
    slot.brought = Home::instance;
    slot.stored = (*held)->place()->recorded ? 1 : 0;  // some record there must be
    slot.record.document = "{}";
  }
  auto opened = co_await records_.open(loop, slot);
  if (!opened) co_return pass_on(std::move(opened));
  if (*opened != Records::Opened::found) co_return false;
  if (slot.record.home == Home::instance) slot.pinned = (*held)->place()->instance;
  if (slot.version > slot.held && slot.brought == Home::client) Counts::add(counts_.stale);

  const Home wanted =
      Records::home_for(slot, slot.record.home, slot.principal.size(), slot.record.document.size());
  const bool has_it = slot.brought == wanted && slot.record.home == wanted && slot.version == slot.held;
  slot.slides = cookies_.slides(slot, **held);
  // What an instance has leaves it with its document, not before.
  slot.cookie_is_due = slot.slides || (!has_it && slot.record.home != Home::instance);
  co_return true;
}

void DocumentRules::begin(Slot& slot) {
  slot.ticket = make_ticket(random_);
  slot.record.kind = slot.kind->name;
  slot.record.home = Home::client;  // nowhere else
  slot.record.document = "{}";
}

io::Task<Result<void>> DocumentRules::commit(io::Loop& loop, Slot& slot, Overlap overlap) {
  if (slot.fresh && slot.end) {  // of a fresh one nothing was ever kept
    slot.cookie = Slot::Cookie::clear;
    co_return Result<void>{};
  }
  if (slot.record.home == Home::instance && !slot.wants_change()) co_return co_await slide(loop, slot);
  const bool tell = slot.fresh || slot.renew;
  auto committed = co_await records_.commit(loop, slot, overlap);
  const bool applied = store::is_applied(committed);
  if (!applied && slot.wants_change()) co_return committed;
  if (!applied) {
    Counts::add(counts_.unmoved);
    co_return co_await slide(loop, slot);
  }
  if (slot.end) {
    slot.cookie = Slot::Cookie::clear;
  } else if (tell || slot.record.home != Home::store || slot.brought != Home::store) {
    slot.cookie = Slot::Cookie::set;
    slot.cookie_value = slot.record.home == Home::store ? Secret(slot.ticket.text()) : cookies_.seal(slot);
  }
  co_return committed;
}

// A session that stays where it is for now: its client must not lose it for that.
io::Task<Result<void>> DocumentRules::slide(io::Loop& loop, Slot& slot) {
  if (!slot.slides) co_return Result<void>{};
  const auto latest = co_await records_.reload(loop, slot);
  if (!latest || slot.record.home == Home::store) co_return Result<void>{};
  slot.cookie = Slot::Cookie::set;
  slot.cookie_value = cookies_.seal(slot);
  co_return Result<void>{};
}

}  // namespace stateway::session
