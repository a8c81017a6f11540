// How many sessions of each kind are where: counted again and again beside the traffic, by walking the store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "admin/sources.h"
#include "session/slot.h"

namespace stateway::admin {

/// Of one kind, as the store's records tell it.
struct KindCount {
  std::uint64_t live = 0;          // they have the documents
  std::uint64_t in_cookies = 0;    // moved: their clients have them; most sessions in cookies have no record
  std::uint64_t at_instances = 0;  // moved: only those that were renewed have one
  std::uint64_t ended = 0;
  std::uint64_t would_fit = 0;  // of the live ones, those that placement client would seal
};

/// Belongs to the admin API's loop. Walks in small steps with pauses, so that it takes at most a twentieth of
/// a core however many sessions there are, and lets commits pass.
class Census {
 public:
  /// All must outlive it.
  Census(io::Loop& loop, const WallClock& clock, store::StateStore& store, const InForce& in_force)
      : loop_(loop), clock_(clock), store_(store), in_force_(in_force) {}

  /// Counts again and again, and soon after each reload, until it is destroyed.
  io::Task<void> run();
  /// Counts once. False, and what was counted before stays, when the store could not be read, or a reload
  /// came in between.
  io::Task<bool> count();

  /// Zeroes for a kind without records.
  KindCount of(std::string_view kind) const;
  /// When the last count was complete; 0: none is yet.
  WallMillis counted_at() const { return counted_at_; }

 private:
  struct Tally;

  io::Loop& loop_;
  const WallClock& clock_;
  store::StateStore& store_;
  const InForce& in_force_;
  std::map<std::string, KindCount, std::less<>> kinds_;
  WallMillis counted_at_ = 0;
};

/// How many sessions of this kind are not yet where its placement wants them. nullopt: nobody can count them,
/// because their clients or instances have them, or nobody has counted yet.
std::optional<std::uint64_t> still_to_move(const Sources& sources, const session::SessionOptions& kind);

}  // namespace stateway::admin
