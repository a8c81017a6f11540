#include "store/outage/local.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/log.h"
#include "store/batch.h"
#include "store/outage/owner.h"

namespace stateway::store::outage {
namespace {

// What was acknowledged longer than this before the first thing the store did not get is of no use.
constexpr WallMillis kKeptBefore = 60'000;

struct Found {
  Journal::At at;
  JournalEntry entry;
  WallMillis acknowledged_at = 0;  // by the store
};

struct Done {
  WallMillis at = 0;
  bool dropped = false;
};

}  // namespace

Result<std::unique_ptr<Local>> Local::open(StateStore& inner, const WallClock& clock, const Remaker& remaker,
                                           const LocalOptions& options) {
  std::unique_ptr<Local> local(new Local(inner, clock, remaker, options));
  if (auto read = local->read_journal(options); !read) return pass_on(std::move(read));
  return local;
}

Result<void> Local::read_journal(const LocalOptions& options) {
  std::vector<Found> intents, acknowledged;
  std::map<std::pair<std::uint64_t, std::uint64_t>, Done> done;
  auto opened = Journal::open(options.journal, [&](const Journal::At& at, JournalEntry entry) {
    if (entry.what >= What::done)
      done[{entry.batch.id.gateway, entry.batch.id.sequence}] = {entry.at, entry.what == What::dropped};
    else
      (at.acknowledged ? acknowledged : intents).push_back({at, std::move(entry), entry.at});
  });
  if (!opened) return pass_on(std::move(opened));
  journal = std::move(*opened);
  backlog =
      std::make_unique<Backlog>(*journal, [this](std::string_view tag) { return inner.partition(tag); });

  std::vector<Found> pending;
  for (Found& intent : intents) {
    const auto at = done.find({intent.entry.batch.id.gateway, intent.entry.batch.id.sequence});
    if (at == done.end()) {
      pending.push_back(std::move(intent));
    } else if (!at->second.dropped) {
      intent.acknowledged_at = at->second.at;
      acknowledged.push_back(std::move(intent));
    }
  }
  const std::string owner = read_owner(options.journal.folder);
  if (!options.store.empty() && owner != options.store) {
    if (!owner.empty() && !pending.empty())
      return fail(
          Code::invalid_argument, Side::self,
          fmt::format("{} has {} changes that wait for {}, which is not the store now: go back to that "
                      "one until /v1/status says pending 0, or name another store.journal",
                      options.journal.folder, pending.size(), owner));
    if (!owner.empty()) acknowledged.clear();
    if (auto written = write_owner(options.journal.folder, options.store); !written) return written;
  }
  // The outage began with what is pending; the clock may have been set since.
  const WallMillis outage = pending.empty() ? clock.now() : pending.front().entry.at;
  // The commits of a session must be applied again in the order in which they were made.
  std::ranges::sort(acknowledged, {}, [](const Found& found) {
    return std::pair(found.entry.at, found.entry.batch.id.sequence);
  });
  for (const Found& kept : acknowledged) {
    if (kept.acknowledged_at + kKeptBefore < outage) continue;
    Item item = item_of(kept.entry.batch, kept.at, next_moment(), clock.now());  // as long as any other
    const std::string key = item.key;
    backlog->keep(tag_of(key), std::move(item), std::nullopt);
  }
  for (Found& intent : pending) {
    const std::uint64_t moment = next_moment();
    Item item = item_of(intent.entry.batch, intent.at, moment, intent.entry.at);
    const std::string key = item.key;
    const auto show = [&] {
      for (Write& write : intent.entry.batch.writes)
        overlay.set(write.key, std::move(write.record), moment, true);
    };
    backlog->add_pending(tag_of(key), std::move(item), show);
  }
  if (!pending.empty())
    log::warn("the journal has commits that the store has not", {{"commits", pending.size()}});
  return {};
}

void Local::failed(const io::Loop& loop, TimePoint began, std::string_view key, const Error& error) {
  if (breakers.failed(inner.partition(key), key, loop.now() - began, loop.now(), clock.now()))
    log::error("the store is away: sessions that are known here go on", {{"error", error.context}});
}

}  // namespace stateway::store::outage
