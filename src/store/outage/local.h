// What a gateway has on its own machine of a store that may be away.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "io/worker.h"
#include "store/outage/backlog.h"
#include "store/outage/breaker.h"
#include "store/outage/journal.h"
#include "store/outage/overlay.h"
#include "store/outage/replay.h"

namespace stateway::store::outage {

/// Since the start.
struct Counts {
  using Count = std::atomic<std::uint64_t>;
  Count replayed{0};    // intents that the store has now, whatever way
  Count remade{0};      // of these, on a newer record, in other places of it
  Count overlapped{0};  // of these, and of those dropped: in the same places
  Count dropped{0};     // intents that the store did not get
  Count recovered{0};   // commits that it had acknowledged and lost
  Count unkept{0};      // commits that it acknowledged and that are not in the journal: no room
};

struct LocalOptions {
  Journal::Options journal;
  std::size_t overlay_bytes_max = 0;
  OnConflict on_conflict = OnConflict::journal;
  std::string store;  // its name, without secrets: the journal is for it alone; empty: not compared
};

/// Thread-safe as far as its parts are.
class Local {
 public:
  /// Blocks: reads the journal. Errors: those of Journal::open; invalid_argument: another store's commits
  /// wait in it. What is handed in must outlive it.
  static Result<std::unique_ptr<Local>> open(StateStore& inner, const WallClock& clock,
                                             const Remaker& remaker, const LocalOptions& options);

  bool away(std::string_view key) const { return breakers.open(inner.partition(key)); }
  /// What an operation on `key`, begun at `began` by the loop's clock, met.
  template <class T>
  void met(const io::Loop& loop, TimePoint began, std::string_view key, const Result<T>& result) {
    if (!result && result.error().code == Code::store_unavailable)
      failed(loop, began, key, result.error());
    else
      breakers.answered(inner.partition(key));
  }
  std::uint64_t next_moment() { return ++moments_; }

  StateStore& inner;
  const WallClock& clock;
  const Remaker& remaker;
  const OnConflict on_conflict;
  Overlay overlay;
  Breakers breakers;
  Counts counts;
  std::unique_ptr<Backlog> backlog;
  std::unique_ptr<Journal> journal;  // its thread uses all of the above
  io::Worker reads{"journal-read"};

 private:
  Local(StateStore& store, const WallClock& c, const Remaker& r, const LocalOptions& options)
      : inner(store),
        clock(c),
        remaker(r),
        on_conflict(options.on_conflict),
        overlay(options.overlay_bytes_max) {}
  void failed(const io::Loop& loop, TimePoint began, std::string_view key, const Error& error);
  Result<void> read_journal(const LocalOptions& options);

  std::atomic<std::uint64_t> moments_{0};
};

}  // namespace stateway::store::outage
