// The stores that the configuration in force names, and what a reload puts in their place.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "config/config.h"
#include "io/task_group.h"
#include "io/worker.h"
#include "stateway/gateway_loop.h"
#include "store/moving.h"
#include "store/switch.h"

namespace stateway {

/// Belongs to the home loop, except where a function says otherwise. Must outlive the calls of its loops.
class StoresInForce {
 public:
  /// An open store and how it was opened.
  struct Place {
    store::StoreOptions options;
    std::shared_ptr<store::StateStore> store;
    bool is_new = false;  // no loop knows it yet
  };
  /// What a configuration asks for. Destroying it closes what it opened.
  struct Set {
    Place store;
    std::optional<Place> previous;
    bool known_as_two = false;  // of those two; else it shows when something is to move
  };
  /// Opens what `next` names; takes what is open in `in_force` (nullptr: nothing is) as it is. Blocks; any
  /// thread. `clock` must outlive the stores. Errors: a sentence for the operator.
  static Result<Set> open(const config::Config& next, const Set* in_force, const WallClock& clock);

  /// `loops` must outlive it; the first is the home loop's.
  StoresInForce(Set first, std::vector<std::unique_ptr<GatewayLoop>>& loops);
  ~StoresInForce() { ending_.cancel_all(); }

  /// Once there are loops, and before one runs.
  void attach();

  /// What sessions know. Thread-safe.
  store::Switch& store() { return switch_; }
  const Set& in_force() const { return set_; }

  /// Completes when what an earlier reload took out of force is closed: it may be opened again.
  io::Task<void> settled();
  /// Puts another set in force on all loops. Calls under way end in the store where they began; one that no
  /// configuration names any more is closed when the last has ended.
  io::Task<void> put_in_force(Set next);

  /// Begins to move all that the previous store has left, beside the traffic; nothing if that is under way.
  /// Errors: conflict: there is no previous store.
  Result<void> move_rest();
  /// "no", "running", "done" or "failed".
  std::string_view copying() const { return copying_; }

 private:
  std::shared_ptr<store::StateStore> joined();
  io::Task<void> attach_on_all(Place& place);
  io::Task<void> see_off(std::vector<std::shared_ptr<store::StateStore>> leaving);
  io::Task<void> run_move(std::shared_ptr<store::MovingStore> moving);

  io::Loop& home() { return loops_.front()->loop(); }

  std::vector<std::unique_ptr<GatewayLoop>>& loops_;
  Set set_;
  std::shared_ptr<store::MovingStore> moving_;  // of these two, when there are two
  store::Switch switch_;
  std::string_view copying_ = "no";
  std::size_t leaving_ = 0;
  io::Worker closer_{"store-close"};
  io::TaskGroup rest_;
  io::TaskGroup ending_;
};

}  // namespace stateway
