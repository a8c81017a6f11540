#include "session/records.h"

#include <algorithm>

#include "base/bytes.h"
#include "session/intent.h"
#include "session/rebase.h"
#include "session/sealed_cookies.h"
#include "session/tombstone.h"
#include "store/batch.h"

namespace stateway::session {
namespace {

// Touching is written at most once in this share of the idle time.
constexpr WallMillis kTouchShare = 20;
// A record that says where a session went outlives the cookies from before, by gateways with other clocks
// too.
constexpr WallMillis kMovedMargin = 60'000;

WallMillis idle_expiry(const SessionOptions& kind, const SessionRecord& record, WallMillis now) {
  return std::min<WallMillis>(now + kind.idle.count(), record.absolute_expires);
}

bool same_secret(const SessionRecord& a, const SessionRecord& b) {
  return equal_constant_time(a.secret_hash, b.secret_hash);
}

std::unexpected<Error> ended(std::string_view how) {
  return fail(Code::session_ended, Side::client, std::string(how));
}

}  // namespace

std::string key_of(const Ticket& ticket) { return std::string(ticket.id()); }

// What the record knows better than the slot. Code::session_ended when it says that there is nothing any
// more.
Result<void> Records::take_record(Slot& slot, const std::optional<store::Record>& stored) {
  if (!stored) {
    // What was recorded and is no more has expired; only a cookie that has the document needs no record.
    const bool expired = slot.stored > 0 && slot.record.home != Home::client;
    slot.stored = 0;
    return expired ? ended("the session has expired") : Result<void>{};
  }
  if (stored->state == store::State::ended) return ended("the session ended while the exchange ran");
  auto record = decode_record(stored->value);
  if (!record) return pass_on(std::move(record));
  if (record->kind != slot.record.kind) return ended("the session is of another kind");
  slot.stored = stored->revision;
  const bool live = stored->state == store::State::live;
  record->home = live ? Home::store : record->home;
  // A cookie sealed after the move has the truth. One with another secret is from before a renew, or goes
  // back to such a one: whatever its version, it yields.
  const bool cookie_is_newer = slot.record.home == record->home && slot.version >= stored->revision &&
                               same_secret(slot.record, *record);
  const bool at_instance = record->home == Home::instance && slot.record.home == Home::instance;
  if (at_instance || (!live && cookie_is_newer)) {
    slot.record.secret_hash = std::move(record->secret_hash);
    if (at_instance) slot.principal = stored->principal;
    return {};
  }
  // Nobody was ever given a ticket or a document for what an instance has.
  if (record->home == Home::instance) return ended("the session is at an instance");
  slot.version = stored->revision;
  slot.principal = stored->principal;
  slot.record = std::move(*record);
  return {};
}

void Records::take_recent(Slot& slot, const RecentVersionPtr& recent) {
  if (!recent || slot.record.home == Home::store) return;
  // Where the record knows the secret it is the judge; without one the process's own memory is.
  if (!same_secret(recent->record, slot.record) ? slot.stored > 0 : recent->version <= slot.version) return;
  slot.version = recent->version;
  slot.principal = recent->principal;
  slot.record = recent->record;
}

io::Task<Result<std::optional<store::Record>>> Records::load(io::Loop& loop, Slot& slot) {
  const std::uint64_t before = store_.epoch();
  auto loaded = co_await store_.load(loop, key_of(slot.ticket));
  slot.epoch = store_.epoch() == before ? std::optional(before) : std::nullopt;
  co_return loaded;
}

void Records::slide(io::Loop& loop, const Slot& slot, const store::Record& stored) {
  // A record that only says where the session went need not outlive the cookies from before: they had at most
  // `idle` when it was written.
  if (slot.record.home == Home::client && stored.principal.empty()) return;
  const WallMillis slid = idle_expiry(*slot.kind, slot.record, clock_.now());
  if (slid - stored.expires_at >= slot.kind->idle.count() / kTouchShare)
    store_.touch(loop, key_of(slot.ticket), slid);
}

namespace {

// The document that the client brought, if the slot has it.
std::optional<std::string_view> document_held(const Slot& slot) {
  if (slot.brought != Home::client || slot.version != slot.held) return std::nullopt;
  return slot.record.document;
}

}  // namespace

io::Task<Result<Records::Opened>> Records::open(io::Loop& loop, Slot& slot) {
  const std::string hash = secret_hash(slot.ticket);
  slot.record.kind = slot.kind->name;
  slot.record.secret_hash = hash;
  slot.record.home = slot.brought;
  auto loaded = co_await load(loop, slot);
  if (!loaded) co_return pass_on(std::move(loaded));
  if (!*loaded && slot.brought == Home::store) co_return Opened::none;
  if (auto taken = take_record(slot, *loaded); !taken) {
    if (taken.error().code == Code::session_ended) co_return Opened::refused;
    co_return pass_on(std::move(taken));
  }
  if (slot.record.home != Home::store)
    take_recent(slot, recent_.find(slot.ticket.id(), slot.held, clock_.now(), document_held(slot)));
  else if (slot.brought == Home::store)
    slot.held = slot.version;  // who has the ticket has whatever the record says
  if (is_barred(slot) || !equal_constant_time(slot.record.secret_hash, hash)) co_return Opened::refused;
  if (*loaded) slide(loop, slot, **loaded);
  co_return Opened::found;
}

// Brings `latest`, a session that was opened, to what is committed now. Code::session_ended when there is
// nothing any more.
io::Task<Result<void>> Records::find_latest(io::Loop& loop, Slot& latest) {
  auto loaded = co_await load(loop, latest);
  if (!loaded) co_return pass_on(std::move(loaded));
  if (auto taken = take_record(latest, *loaded); !taken) co_return taken;
  if (is_barred(latest)) co_return ended("the session was renewed or ended meanwhile");
  take_recent(latest, recent_.latest(latest.ticket.id(), clock_.now()));
  co_return Result<void>{};
}

namespace {

// The part of a slot that says what a session is; no exchange's wishes.
Slot known(const Slot& slot) {
  Slot out;
  out.kind = slot.kind;
  out.came_by_tls = slot.came_by_tls;
  out.ticket = slot.ticket;
  out.brought = slot.brought;
  out.version = slot.version;
  out.stored = slot.stored;
  out.record = slot.record;
  out.principal = slot.principal;
  return out;
}

}  // namespace

io::Task<Result<void>> Records::reload(io::Loop& loop, Slot& slot) {
  slot.forget_wishes();
  if (slot.fresh) co_return Result<void>{};
  Slot latest = known(slot);
  if (auto loaded = co_await find_latest(loop, latest); !loaded) co_return loaded;
  if (!same_secret(slot.record, latest.record)) co_return ended("the session was renewed meanwhile");
  slot.version = latest.version;
  slot.stored = latest.stored;
  slot.epoch = latest.epoch;
  slot.principal = std::move(latest.principal);
  slot.record = std::move(latest.record);
  if (slot.record.home != Home::instance) slot.pinned.reset();
  co_return Result<void>{};
}

Home Records::home_for(const Slot& slot, Home now, std::size_t principal_bytes, std::size_t document_bytes) {
  switch (slot.kind->placement) {
    case Placement::instance:
      return Home::instance;
    case Placement::store:
    case Placement::hybrid:
      return Home::store;
    case Placement::client:
      break;
  }
  // What has outgrown its cookie comes back only when it is clearly smaller: it must not move at each commit.
  const std::size_t budget = now == Home::store ? kCookieBytesMax / 4 * 3 : kCookieBytesMax;
  const bool fits = SealedCookies::cookie_bytes(slot, principal_bytes, document_bytes) <= budget;
  return fits ? Home::client : Home::store;
}

// In the order in which the commits of a session are sent: its lane is held. A store that nobody shares need
// not be told who was it, and would keep it with each record.
store::CommitId Records::next_commit() {
  if (store_.leases() == nullptr) return {};
  return {.gateway = gateway_, .sequence = commits_.fetch_add(1, std::memory_order_relaxed) + 1};
}

struct Records::Step {
  SessionRecord record;  // with where the session then is
  store::Revision version = 0;
  std::string principal;
  std::optional<store::Write> write;
};

// What brings `latest` to where the slot wants it. `ticket` is what the client will have.
Result<Records::Step> Records::next_step(Slot& slot, const Slot& latest, Overlap overlap,
                                         const Ticket& ticket) {
  const WallMillis now = clock_.now();
  Step step{.record = latest.record, .version = latest.version, .principal = latest.principal, .write = {}};
  if (step.record.created == 0) {  // it begins with this commit
    step.record.created = now;
    step.record.absolute_expires = now + slot.kind->absolute.count();
  }
  if (slot.fresh || slot.renew) step.record.secret_hash = secret_hash(ticket);
  const store::Revision next = std::max(latest.version, latest.stored) + 1;
  if (slot.end) {
    step.version = next;
    step.write =
        store::Write{key_of(ticket), latest.stored, tombstone(step.record, next - 1, latest.principal)};
    return step;
  }
  auto rebased =
      rebase(slot.patches, {slot.version, slot.record.document}, {latest.version, latest.record.document},
             overlap, {.bytes_max = slot.kind->document_bytes_max});
  if (!rebased) return pass_on(std::move(rebased));
  slot.overlapped = rebased->overlapped;
  step.record.document = std::move(rebased->document);
  if (slot.new_principal) step.principal = *slot.new_principal;
  step.record.home = home_for(slot, slot.fresh ? Home::client : latest.record.home, step.principal.size(),
                              step.record.document.size());
  const bool moves = !slot.fresh && step.record.home != latest.record.home;
  if (!slot.wants_change() && !moves) return step;

  step.version = next;
  // A cookie that stays where it is needs no record, unless older ones with its secret must go.
  if (step.record.home != Home::store && !moves && !slot.renew) return step;
  store::Record record;
  record.revision = next;
  record.state = step.record.home == Home::store ? store::State::live : store::State::moved;
  record.expires_at = idle_expiry(*slot.kind, step.record, now);
  if (record.state == store::State::moved)
    record.expires_at = std::min(record.expires_at + kMovedMargin, step.record.absolute_expires);
  record.principal = step.principal;
  record.value = encode_record(step.record);
  step.write = store::Write{key_of(ticket), latest.stored, std::move(record)};
  return step;
}

// What an exchange at an instance did must not meet what became of the session since it left there.
Result<void> Records::meet(const Slot& slot, const Slot& latest) {
  if (slot.end || slot.fresh || latest.record.home == Home::instance) return {};
  // It began before the placement was changed, and has changed the instance's memory, which nobody reads now.
  if (slot.kind->placement == Placement::instance) return ended("the session has left its instance");
  // It hands over what another one has handed over, as it was then.
  if (slot.record.home == Home::instance && slot.wants_change())
    return fail(Code::overlap, Side::client, "another exchange took the session from its instance");
  return {};
}

io::Task<Result<void>> Records::still_at_instance(io::Loop& loop, const Slot& slot) {
  Slot latest = known(slot);
  if (auto found = co_await find_latest(loop, latest); !found) co_return found;
  if (!same_secret(slot.record, latest.record)) co_return ended("the session was renewed meanwhile");
  co_return meet(slot, latest);
}

namespace {

// An end needs none: it ends whatever there is.
std::string intent_of(const Slot& slot, const SessionRecord& latest, const SessionRecord& made) {
  if (slot.end) return {};
  return encode_intent({.patches = slot.patches,
                        .document = latest.document,
                        .secret_hash = slot.fresh ? made.secret_hash : latest.secret_hash,
                        .renews = slot.renew,
                        .document_bytes_max = slot.kind->document_bytes_max});
}

}  // namespace

io::Task<Result<void>> Records::commit(io::Loop& loop, Slot& slot, Overlap overlap) {
  auto entered = co_await lanes_.enter(loop, key_of(slot.ticket), loop.now() + slot.kind->lane_wait,
                                       slot.kind->lane_queue);
  if (!entered) co_return pass_on(std::move(entered));

  const Ticket ticket = slot.renew ? with_new_secret(slot.ticket, random_) : slot.ticket;
  std::optional<Slot> looked;
  // The condition of the write tells whether the slot has the latest; where there may be no write, look
  // first.
  bool look = !slot.fresh && (slot.record.home == Home::client || !slot.wants_change());
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (look) {
      if (!looked) looked = known(slot);
      auto loaded = co_await find_latest(loop, *looked);
      if (!loaded && loaded.error().code == Code::session_ended && slot.end) co_return Result<void>{};
      if (!loaded) co_return loaded;
    }
    const Slot& latest = looked ? *looked : slot;
    // The old secret opens nothing: who sent a request with it may neither learn the new one nor write into
    // what belongs to its holder.
    if (!slot.fresh && !same_secret(slot.record, latest.record))
      co_return ended("the session was renewed meanwhile");
    if (auto met = meet(slot, latest); !met) co_return met;
    auto step = next_step(slot, latest, overlap, ticket);
    if (!step) co_return pass_on(std::move(step));
    if (!step->write) {
      finish(slot, latest, latest.stored, ticket, std::move(*step));
      co_return Result<void>{};
    }
    const store::Revision made = step->write->record->revision;
    store::Batch batch;
    batch.writes.push_back(std::move(*step->write));
    batch.id = next_commit();
    batch.needs_store = slot.renew;
    if (store_.wants_intents()) batch.intent = intent_of(slot, latest.record, step->record);
    if (slot.shared_turn) batch.lease = slot.shared_turn->token();
    auto committed = co_await store_.commit(loop, std::move(batch));
    if (store::is_applied(committed)) {
      if (slot.shared_turn) slot.shared_turn->ended_by_commit();
      slot.committed_locally = committed && committed->local;
      finish(slot, latest, made, ticket, std::move(*step));
      if (committed) co_return Result<void>{};
    }
    if (committed.error().code != Code::conflict) co_return pass_on(std::move(committed));
    look = true;
  }
  co_return fail(Code::conflict, Side::store, "other commits of this session were always faster");
}

// Without suspending: whoever has the lane next finds it all done.
void Records::finish(Slot& slot, const Slot& latest, store::Revision stored, const Ticket& ticket,
                     Step step) {
  const Home home = step.record.home;
  if (slot.end || home == Home::store) {
    recent_.forget(ticket.id());
  } else if (home == Home::client) {
    // Somebody holds, or is being sent, another version than this, or than the one it was made from.
    const bool overlapped = slot.held != latest.version || step.version == latest.version;
    const WallMillis now = clock_.now();
    recent_.keep(ticket.id(),
                 {step.version, idle_expiry(*slot.kind, step.record, now), step.principal, step.record},
                 VersionMark(latest.version, latest.record.document), overlapped, now);
  }
  if (!slot.fresh && !slot.end) counts_.moved(latest.record.home, home, *slot.kind, clock_.now());
  slot.ticket = ticket;
  slot.version = step.version;
  slot.stored = stored;
  slot.principal = std::move(step.principal);
  slot.record = std::move(step.record);
}

}  // namespace stateway::session
