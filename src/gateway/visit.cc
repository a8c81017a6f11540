#include "gateway/visit.h"

#include "base/bytes.h"
#include "gateway/on_loop.h"

namespace stateway::gateway {
namespace {

constexpr std::size_t kReadBytesMax = 16 * 1024;  // of a body nobody wants

bool can_go_twice(const Exchange& x) {
  return x.framing.kind == http::Framing::Kind::none || x.held.complete;
}

// True when the body ended. Waiting for it longer than for a new connection would help nobody.
io::Task<bool> read_to_the_end(Exchange& x) {
  wire::Reader& reader = x.answer->connection->reader();
  const TimePoint deadline = x.on.loop.now() + x.service_options().timeout.connect;
  for (std::size_t octets = 0; octets <= kReadBytesMax;) {
    const auto piece = co_await reader.next(deadline);
    if (!piece) co_return false;
    if (piece->done) co_return true;
    octets += piece->data.size();
  }
  co_return false;
}

}  // namespace

bool begin_visit(Exchange& x, bool with_document) {
  const session::Slot& slot = *x.session;
  if (slot.kind->placement != session::Placement::hybrid) return true;
  const upstream::Lease& lease = x.answer->lease;
  // The process may have been replaced since the lease was given.
  const std::uint64_t identity = lease.instance().identity() == lease.identity() ? lease.identity() : 0;
  x.answer->visit = x.on.holders.visit({.id = std::string(slot.ticket.id()),
                                        .fresh = slot.fresh,
                                        .again = x.sent,
                                        .version = slot.version,
                                        .identity = identity,
                                        .epoch = slot.epoch,
                                        .idle = slot.kind->idle},
                                       x.on.loop.now());
  // In cookies, there may be several documents of one version (two gateways).
  const bool in_store = slot.record.home == session::Home::store;
  if (with_document || !in_store || !can_go_twice(x)) x.answer->visit.send_document();
  return !x.answer->visit.outdated();
}

bool needs_document(const Exchange& x) {
  const http::Fields& fields = x.answer->head.fields;
  if (x.answer->visit.held().empty() || !fields.has(http::FieldId::stateway)) return false;
  bool needs = false;
  for (const http::Field& f : fields) {
    if (f.id != http::FieldId::stateway) continue;
    if (equals_ignoring_case(f.name, "Stateway-Session-Patch") ||
        equals_ignoring_case(f.name, "Stateway-Session-Principal"))
      return false;
    if (!equals_ignoring_case(f.name, "Stateway-Session-Op")) continue;
    if (f.value != "need") return false;
    needs = true;
  }
  return needs && !x.session->wants_change();  // by the session URL
}

io::Task<void> end_visit_in_need(Exchange& x) {
  x.on.counters.documents_needed.fetch_add(1, std::memory_order_relaxed);
  x.answer->visit.end_needing();
  if (x.answer->framing.kind == http::Framing::Kind::until_close) co_return;
  if (co_await read_to_the_end(x)) x.answer->finish();
}

void count_spared(const Exchange& x) {
  if (x.answer->visit.held().empty()) return;
  x.on.counters.documents_spared.fetch_add(1, std::memory_order_relaxed);
  x.on.counters.document_octets_spared.fetch_add(x.session->record.document.size(),
                                                 std::memory_order_relaxed);
}

void end_visit(Exchange& x) {
  const session::Slot& slot = *x.session;
  session::Holders::Visit& visit = x.answer->visit;
  // A move makes a version that the process knows nothing of.
  const bool as_it_thinks = slot.wants_change() || slot.version == visit.given();
  if (!as_it_thinks || slot.record.home != session::Home::store) visit.keeps_not();
  visit.end(slot.version);
  if (slot.end && slot.kind->placement == session::Placement::hybrid) x.on.holders.forget(slot.ticket.id());
}

}  // namespace stateway::gateway
