#include "gateway/commit.h"

#include "gateway/on_loop.h"
#include "gateway/visit.h"

namespace stateway::gateway {

namespace {

// It began before a reload, at an instance that may not have the session any more.
bool may_have_been_left(const Exchange& x) {
  const bool reloaded = x.on.config->snapshot.get() != x.config.get();
  return reloaded && !x.safe() && !x.session->fresh && !x.session->kind->has_document();
}

// What it changed is in a memory that nobody reads any more, unless the service's adapter sees to it.
io::Task<Result<void>> check_that_it_counts(Exchange& x) {
  auto there = co_await x.on.sessions.still_at_instance(x.on.loop, *x.session);
  if (!there && there.error().code == Code::session_ended)
    co_return fail(Code::outcome_unknown, Side::upstream, there.error().context);
  co_return there;
}

}  // namespace

io::Task<Result<void>> commit(Exchange& x) {
  x.answer->session_url = {};  // too late for more patches
  if (!x.session) co_return Result<void>{};
  if (may_have_been_left(x))
    if (auto counts = co_await check_that_it_counts(x); !counts) co_return counts;
  if (x.session->wants_commit()) {
    auto committed = co_await x.on.sessions.commit(x.on.loop, *x.session, x.use->overlap);
    if (!committed) co_return committed;
    if (x.session->overlapped) x.on.counters.overlaps.fetch_add(1, std::memory_order_relaxed);
  }
  end_visit(x);
  co_return Result<void>{};
}

bool may_run_again(const Exchange& x, const Error& error) {
  return error.code == Code::overlap && x.use->overlap == session::Overlap::again && !x.held.gone &&
         x.attempts < x.service_options().retry.attempts;
}

io::Task<Result<void>> reload(Exchange& x) { return x.on.sessions.reload(x.on.loop, *x.session); }

}  // namespace stateway::gateway
