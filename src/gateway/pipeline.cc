#include "gateway/pipeline.h"

#include "gateway/commit.h"
#include "gateway/forward.h"
#include "gateway/on_loop.h"
#include "gateway/respond.h"
#include "gateway/stages/admit.h"
#include "gateway/stages/identify.h"
#include "gateway/stages/lane.h"
#include "gateway/stages/route.h"

namespace stateway::gateway {

// accept → parse → [route → admit → identify → lane] → forward ⇒ leave → commit → respond
Pipeline::Pipeline() {
  // First: every later stage asks the route what it may do. Here the target gets the one form that matching,
  // logging and the service all see, so that no stage can be talked past by another spelling.
  stages_.push_back(std::make_unique<RouteStage>());
  // Before anything that costs: what can be refused by its head alone is refused without a look at the store.
  stages_.push_back(std::make_unique<AdmitStage>());
  // Late: the record is loaded as near to the instance as possible, so that the service is given the newest
  // version there is and overlaps are rare.
  stages_.push_back(std::make_unique<IdentifyStage>());
  // Last: whoever waits here has been found to hold the session, so strangers fill no queue; and nothing else
  // is waited for while others wait behind.
  stages_.push_back(std::make_unique<LaneStage>());
}

io::Task<void> Pipeline::run(Exchange& x) const {
  Result<Verdict> verdict = co_await enter(x);
  if (verdict && *verdict) {
    co_await respond_own(x, std::move(**verdict));
    co_return;
  }
  Result<void> ready = verdict ? co_await answer_and_commit(x) : Result<void>(pass_on(std::move(verdict)));
  x.turn.end();  // what the next one is given is decided; no client's pace is anything to it
  if (ready) {
    // Only now: the commit is durable, so the client may see success.
    co_await respond(x);
    co_return;
  }
  x.answer.reset();
  x.error = std::move(ready).error();
  x.on.counters.problems.fetch_add(1, std::memory_order_relaxed);
  if (x.error->code == Code::lane_full) x.on.counters.lane_refused.fetch_add(1, std::memory_order_relaxed);
  co_await respond_own(x, problem_response(x, *x.error));
}

io::Task<Result<Verdict>> Pipeline::enter(Exchange& x) const {
  for (const auto& stage : stages_) {
    Result<Verdict> verdict = co_await stage->enter(x);
    if (!verdict || *verdict) co_return verdict;
  }
  co_return Verdict();
}

Result<void> Pipeline::leave(Exchange& x) const {
  for (auto stage = stages_.rbegin(); stage != stages_.rend(); ++stage)
    if (auto left = (*stage)->leave(x); !left) return left;
  return {};
}

// An instance answers, and what the answer wants kept is committed. Where the session changed meanwhile in a
// way that the route wants seen by the service ("again"), the exchange runs once more on the latest version.
io::Task<Result<void>> Pipeline::answer_and_commit(Exchange& x) const {
  for (;;) {
    if (auto answered = co_await forward(x); !answered) co_return answered;
    if (auto left = leave(x); !left) co_return left;
    auto committed = co_await commit(x);
    if (committed || !may_run_again(x, committed.error())) co_return committed;
    x.answer.reset();
    x.on.counters.reruns.fetch_add(1, std::memory_order_relaxed);
    if (auto reloaded = co_await reload(x); !reloaded) co_return reloaded;
  }
}

}  // namespace stateway::gateway
