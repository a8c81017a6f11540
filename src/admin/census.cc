#include "admin/census.h"

#include <algorithm>
#include <vector>

#include "base/log.h"
#include "session/record.h"
#include "session/records.h"

namespace stateway::admin {
namespace {

using session::Home;
using session::Placement;

// Between two counts, and never less than one takes: a large store is on the disk.
constexpr Duration kPauseBetween = 10s;
constexpr Duration kLook = 1s;  // whether there was a reload
// A step of the walk, which comes with its documents, is as long as its octets allow …
constexpr std::size_t kRecordsFirst = 32;
constexpr std::size_t kRecordsMost = 512;
constexpr std::size_t kBytesPerStep = 512 * 1024;
// … and followed by a pause of so many times its own time.
constexpr int kPauseShare = 19;
constexpr Duration kPauseLeast = 2ms;

}  // namespace

struct Census::Tally {
  explicit Tally(const std::vector<session::SessionOptions>& configured) {
    for (const session::SessionOptions& kind : configured) {
      session::Slot& slot = slots[kind.name];
      slot.kind = &kind;
      slot.came_by_tls = kind.secure == session::Secure::always;
    }
  }

  void add(const store::Record& record) {
    const auto session = session::view_record(record.value);
    if (!session) return;  // the list of sessions says so
    auto found = kinds.find(session->kind);
    if (found == kinds.end()) found = kinds.emplace(session->kind, KindCount()).first;
    KindCount& count = found->second;
    if (record.state == store::State::ended) {
      ++count.ended;
    } else if (record.state == store::State::moved) {
      ++(session->home == Home::instance ? count.at_instances : count.in_cookies);
    } else {
      ++count.live;
      const auto slot = slots.find(session->kind);
      if (slot == slots.end() || slot->second.kind->placement != Placement::client) return;
      const Home wanted = session::Records::home_for(slot->second, Home::store, record.principal.size(),
                                                     session->document.size());
      if (wanted == Home::client) ++count.would_fit;
    }
  }

  std::map<std::string, session::Slot, std::less<>> slots;
  std::map<std::string, KindCount, std::less<>> kinds;
  std::uint64_t in_previous = 0;
};

io::Task<bool> Census::count() {
  const std::uint64_t generation = in_force_.generation;
  const auto snapshot = in_force_.snapshot;
  Tally tally(snapshot->sessions);
  store::Query query{.limit = kRecordsFirst};
  for (;;) {
    const TimePoint began = loop_.now();
    store::Query step = query;
    const auto entries = co_await store_.list(loop_, std::move(step));
    if (!entries) co_return false;
    std::size_t bytes = 1;
    for (const store::Entry& entry : *entries) {
      tally.add(entry.record);
      if (entry.in_previous) ++tally.in_previous;
      bytes += entry.record.value.size();
    }
    if (in_force_.generation != generation) co_return false;
    if (entries->size() < query.limit) break;
    query.after = entries->back().key;
    query.limit = std::clamp<std::size_t>(query.limit * kBytesPerStep / bytes, 1, kRecordsMost);
    const Duration took = loop_.now() - began;
    co_await io::sleep_for(loop_, std::max<Duration>(kPauseLeast, took * kPauseShare));
  }
  store_.note_left(tally.in_previous);
  kinds_ = std::move(tally.kinds);
  counted_at_ = clock_.now();
  co_return true;
}

io::Task<void> Census::run() {
  for (;;) {
    const std::uint64_t generation = in_force_.generation;
    const TimePoint began = loop_.now();
    const bool counted = co_await count();
    if (!counted && in_force_.generation == generation) log::warn("the sessions could not be counted");
    const TimePoint until = loop_.now() + std::max<Duration>(kPauseBetween, loop_.now() - began);
    while (loop_.now() < until && in_force_.generation == generation) co_await io::sleep_for(loop_, kLook);
  }
}

KindCount Census::of(std::string_view kind) const {
  const auto found = kinds_.find(kind);
  return found == kinds_.end() ? KindCount() : found->second;
}

namespace {

/// Whether clients may hold sealed documents of sessions of this kind, of which the store need not know.
bool may_be_in_cookies(const Sources& sources, const session::SessionOptions& kind) {
  if (kind.placement == Placement::client) return true;
  const WallMillis now = sources.clock.now();
  const Outside outside = sources.in_force.outside_of(kind.name);
  const session::Moves moves = sources.sessions.counts().of(kind.name);
  const bool came = moves.last_from_client != 0 && now - moves.last_from_client < kind.absolute.count();
  return now < outside.in_cookies_until || came || sources.census.of(kind.name).in_cookies > 0;
}

}  // namespace

std::optional<std::uint64_t> still_to_move(const Sources& sources, const session::SessionOptions& kind) {
  const KindCount count = sources.census.of(kind.name);
  if (sources.census.counted_at() == 0) return std::nullopt;
  if (!kind.has_document()) return 0;  // they begin anew there
  const WallMillis now = sources.clock.now();
  const session::Moves moves = sources.sessions.counts().of(kind.name);
  const bool came = moves.last_from_instance != 0 && now - moves.last_from_instance < kind.absolute.count();
  if (now < sources.in_force.outside_of(kind.name).at_instances_until || came || count.at_instances > 0)
    return std::nullopt;
  if (kind.placement == Placement::client) return count.would_fit;
  if (may_be_in_cookies(sources, kind)) return std::nullopt;
  return 0;
}

}  // namespace stateway::admin
