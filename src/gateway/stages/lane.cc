#include "gateway/stages/lane.h"

#include "gateway/commit.h"
#include "gateway/on_loop.h"

namespace stateway::gateway {
namespace {

bool takes_turns(const Exchange& x) {
  if (!x.session || x.session->fresh) return false;
  const session::Slot& slot = *x.session;
  // An instance that has the document in its memory answers with all of it: the next one needs it no more.
  if (slot.kind->has_document() && slot.record.home == session::Home::instance) return true;
  return slot.kind->lane == session::Lane::serial && !x.safe();
}

// One exchange that waits, for as long as it lives: its client may hang up.
class Waiting {
 public:
  explicit Waiting(Counters::Count& count) : count_(count) { count_.fetch_add(1, std::memory_order_relaxed); }
  ~Waiting() { count_.fetch_sub(1, std::memory_order_relaxed); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  Counters::Count& count_;
};

}  // namespace

io::Task<Result<Verdict>> LaneStage::enter(Exchange& x) {
  if (!takes_turns(x)) co_return Verdict();
  {
    const Waiting waiting(x.on.counters.lane_waiting);
    auto turn = co_await x.on.sessions.take_turn(x.on.loop, *x.session);
    if (!turn) co_return pass_on(std::move(turn));
    x.turn = std::move(*turn);
  }
  // Also without a wait: between what identify loaded and this turn another one may have begun and ended, on
  // another loop or while the store's answer was on its way.
  if (auto loaded = co_await reload(x); !loaded) co_return pass_on(std::move(loaded));
  co_return Verdict();
}

}  // namespace stateway::gateway
