#include "session/store_rules.h"

namespace stateway::session {

io::Task<Result<bool>> StoreRules::open(io::Loop& loop, Slot& slot, std::string_view cookie) {
  const std::optional<Ticket> ticket = parse_ticket(cookie);
  if (!ticket) co_return false;
  auto opened = co_await records_.open(loop, slot, *ticket);
  if (!opened) co_return pass_on(std::move(opened));
  co_return *opened == Records::Opened::live;
}

void StoreRules::begin(Slot& slot) {
  slot.ticket = make_ticket(random_);
  slot.record.kind = slot.kind->name;
  slot.record.document = "{}";
}

io::Task<Result<void>> StoreRules::commit(io::Loop& loop, Slot& slot, Overlap overlap) {
  const bool tell = slot.fresh || slot.renew;
  if (!slot.fresh || !slot.end) {  // of a fresh one nothing was ever kept
    if (auto committed = co_await records_.commit(loop, slot, overlap); !committed) co_return committed;
  }
  slot.cookie = slot.end ? Slot::Cookie::clear : tell ? Slot::Cookie::set : Slot::Cookie::keep;
  if (slot.cookie == Slot::Cookie::set) slot.cookie_value = Secret(slot.ticket.text());
  co_return Result<void>{};
}

}  // namespace stateway::session
