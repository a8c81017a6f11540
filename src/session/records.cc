#include "session/records.h"

#include <algorithm>

#include "base/bytes.h"
#include "session/rebase.h"
#include "session/tombstone.h"

namespace stateway::session {
namespace {

// Touching is written at most once in this share of the idle time.
constexpr WallMillis kTouchShare = 20;

WallMillis idle_expiry(const SessionOptions& kind, const SessionRecord& record, WallMillis now) {
  return std::min<WallMillis>(now + kind.idle.count(), record.absolute_expires);
}

}  // namespace

std::string key_of(const Ticket& ticket) { return std::string(ticket.id()); }

io::Task<Result<Records::Opened>> Records::open(io::Loop& loop, Slot& slot, Ticket ticket) {
  std::string key = key_of(ticket);
  auto loaded = co_await store_.load(loop, key);
  if (!loaded) co_return pass_on(std::move(loaded));
  if (!*loaded) co_return Opened::none;
  if ((*loaded)->state != store::State::live) co_return Opened::refused;
  auto record = decode_record((*loaded)->value);
  if (!record) co_return pass_on(std::move(record));
  if (record->kind != slot.kind->name || !equal_constant_time(record->secret_hash, secret_hash(ticket)))
    co_return Opened::refused;

  const WallMillis now = clock_.now();
  slot.ticket = ticket;
  slot.version = (*loaded)->revision;
  slot.principal = std::move((*loaded)->principal);
  slot.record = std::move(*record);
  const WallMillis slid = idle_expiry(*slot.kind, slot.record, now);
  if (slid - (*loaded)->expires_at >= slot.kind->idle.count() / kTouchShare) store_.touch(key, slid);
  co_return Opened::live;
}

// What is committed now under the slot's id. Code::session_ended when there is nothing live any more.
io::Task<Result<void>> Records::load_into(io::Loop& loop, Slot& latest) {
  auto loaded = co_await store_.load(loop, key_of(latest.ticket));
  if (!loaded) co_return pass_on(std::move(loaded));
  if (!*loaded || (*loaded)->state != store::State::live)
    co_return fail(Code::session_ended, Side::client, "the session ended while the exchange ran");
  auto record = decode_record((*loaded)->value);
  if (!record) co_return pass_on(std::move(record));
  latest.version = (*loaded)->revision;
  latest.principal = std::move((*loaded)->principal);
  latest.record = std::move(*record);
  co_return Result<void>{};
}

namespace {

// Whether the slot's ticket is still the one that opens the session. After a renew its holder must get
// nothing new.
bool superseded(const Slot& opened, const Slot& latest) {
  return !equal_constant_time(opened.record.secret_hash, latest.record.secret_hash);
}

}  // namespace

io::Task<Result<void>> Records::reload(io::Loop& loop, Slot& slot) {
  slot.forget_wishes();
  if (slot.version == 0) co_return Result<void>{};
  Slot latest;
  latest.kind = slot.kind;
  latest.ticket = slot.ticket;
  if (auto loaded = co_await load_into(loop, latest); !loaded) co_return loaded;
  if (superseded(slot, latest))
    co_return fail(Code::session_ended, Side::client, "the session was renewed meanwhile");
  slot.version = latest.version;
  slot.principal = std::move(latest.principal);
  slot.record = std::move(latest.record);
  co_return Result<void>{};
}

// The write that brings `latest` to where the slot wants it; `record` is what it holds. `ticket` is what the
// client will have.
Result<store::Write> Records::next_write(Slot& slot, const Slot& latest, Overlap overlap,
                                         const Ticket& ticket, SessionRecord& record) {
  const WallMillis now = clock_.now();
  record = latest.record;
  if (record.created == 0) {  // it begins with this commit
    record.created = now;
    record.absolute_expires = now + slot.kind->absolute.count();
  }
  if (latest.version == 0 || slot.renew) record.secret_hash = secret_hash(ticket);
  if (slot.end)
    return store::Write{key_of(latest.ticket), latest.version,
                        tombstone(record, latest.version, latest.principal)};
  auto rebased =
      rebase(slot.patches, {slot.version, slot.record.document}, {latest.version, latest.record.document},
             overlap, {.bytes_max = slot.kind->document_bytes_max});
  if (!rebased) return pass_on(std::move(rebased));
  slot.overlapped = rebased->overlapped;
  record.document = std::move(rebased->document);
  store::Record next;
  next.revision = latest.version + 1;
  next.expires_at = idle_expiry(*slot.kind, record, now);
  next.principal = slot.new_principal.value_or(latest.principal);
  next.value = encode_record(record);
  return store::Write{key_of(latest.ticket), latest.version, std::move(next)};
}

io::Task<Result<void>> Records::commit(io::Loop& loop, Slot& slot, Overlap overlap) {
  auto entered = co_await lanes_.enter(loop, key_of(slot.ticket), loop.now() + slot.kind->lane_wait,
                                       slot.kind->lane_queue);
  if (!entered) co_return pass_on(std::move(entered));

  const Ticket ticket = slot.renew ? with_new_secret(slot.ticket, random_) : slot.ticket;
  Slot reloaded;
  const Slot* latest = &slot;  // until a conflict tells otherwise
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    SessionRecord record;
    auto write = next_write(slot, *latest, overlap, ticket, record);
    if (!write) co_return pass_on(std::move(write));
    store::Batch batch;
    batch.push_back(std::move(*write));
    auto committed = co_await store_.commit(loop, std::move(batch));
    if (committed) {
      slot.ticket = ticket;
      slot.version = *committed;
      slot.record = std::move(record);
      co_return Result<void>{};
    }
    if (committed.error().code != Code::conflict) co_return pass_on(std::move(committed));
    reloaded.kind = slot.kind;
    reloaded.ticket = slot.ticket;
    auto loaded = co_await load_into(loop, reloaded);
    if (!loaded && loaded.error().code == Code::session_ended && slot.end) co_return Result<void>{};
    if (!loaded) co_return loaded;
    // A renew from before another one would hand a valid secret to whoever held the old one.
    if (slot.renew && superseded(slot, reloaded))
      co_return fail(Code::session_ended, Side::client, "the session was renewed meanwhile");
    latest = &reloaded;
  }
  co_return fail(Code::conflict, Side::store, "other commits of this session were always faster");
}

}  // namespace stateway::session
