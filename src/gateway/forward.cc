#include "gateway/forward.h"

#include "gateway/affinity.h"
#include "gateway/attempt.h"
#include "gateway/body_pump.h"
#include "gateway/on_loop.h"
#include "gateway/retry.h"
#include "gateway/visit.h"

namespace stateway::gateway {
namespace {

// Answers that say "not me, not now" and for which another instance may do better.
bool asks_for_another(int status) { return status == 502 || status == 503 || status == 504; }

// What an answer wants kept counts whatever its status, so that answer is final.
bool touches_session(const Exchange& x) {
  return x.answer->head.fields.has(http::FieldId::stateway) || (x.session && x.session->wants_change());
}

bool body_at_hand(const Exchange& x) { return x.framing.kind == http::Framing::Kind::none || !x.held.gone; }

class Forwarding {
 public:
  explicit Forwarding(Exchange& x) : x_(x), service_(*x.service) { pin(); }

  io::Task<Result<void>> run() {
    // Before an instance is asked: a body that came with its head and is malformed costs it nothing.
    if (auto held = hold_what_came(); !held) co_return held;
    for (;;) {
      auto lease = service_.try_acquire(tried_);
      if (!lease) {
        auto waited =
            co_await service_.acquire(tried_, io::kNoDeadline);  // bounded by the service's own limits
        if (!waited && waited.error().code == Code::instance_lost) {
          if (auto elsewhere = x_.on.sessions.lose_instance(*x_.session); !elsewhere) co_return elsewhere;
          pin();
          continue;
        }
        if (!waited) co_return failure(std::move(waited).error());
        lease.emplace(std::move(*waited));
      }
      ++x_.attempts;
      std::optional<AttemptFailure> failed = co_await try_once(std::move(*lease));
      if (failed) {
        last_ = failed->error;
        if (auto verdict = may_go_on(*failed); !verdict) co_return verdict;
      } else if (!wants_another()) {
        note_instance();
        co_return Result<void>{};
      }
      if (!failed) x_.answer->visit.end_without_effect();  // it said "not me"
      x_.answer.reset();
      x_.on.counters.retries.fetch_add(1, std::memory_order_relaxed);
    }
  }

 private:
  Result<void> hold_what_came() {
    if (x_.framing.kind == http::Framing::Kind::none || x_.held.complete || x_.held.gone) return {};
    if (auto held = hold_buffered_body(x_); !held) return pass_on(std::move(held));
    return {};
  }

  // A session that lives in an instance's memory is nowhere else.
  void pin() {
    tried_ = {};
    tried_.key = affinity_key(x_);
    if (x_.session) tried_.only = x_.session->pinned;
  }

  void note_instance() {
    if (!x_.session) return;
    const upstream::Lease& lease = x_.answer->lease;
    x_.session->answered_by = lease.identity();
    if (!x_.session->kind->has_document())
      lease.expect_client(x_.on.clock.now() + x_.session->kind->idle.count());
  }

  unsigned attempts_max() const { return x_.service_options().retry.attempts; }

  // One instance. Where it does not hold the document it was said to, it gets that too, in the same attempt.
  io::Task<std::optional<AttemptFailure>> try_once(upstream::Lease lease) {
    x_.instance = lease.instance().name();
    const bool sent_before = x_.sent;
    auto failed = co_await send(std::move(lease));
    if (!failed && needs_document(x_)) {
      co_await end_visit_in_need(x_);
      with_document_ = true;
      x_.sent = sent_before;  // it had no effect
      upstream::Lease same = std::move(x_.answer->lease);
      failed = co_await send(std::move(same));
    }
    if (!failed) count_spared(x_);
    if (x_.answer->connection && !(failed && failed->by_client))  // a failed connect has been noted already
      x_.answer->lease.report(outcome(failed.has_value()));
    co_return failed;
  }

  // A connection that went stale in its pool says nothing about the instance, so a fresh one is tried before
  // anything is held against it.
  io::Task<std::optional<AttemptFailure>> send(upstream::Lease lease) {
    auto failed = co_await send_over(std::move(lease), false);
    if (failed && went_stale(*failed)) {
      upstream::Lease same = std::move(x_.answer->lease);
      failed = co_await send_over(std::move(same), true);
    }
    co_return failed;
  }

  bool is_bound() const { return x_.session && (x_.session->pinned || !x_.session->kind->has_document()); }

  io::Task<std::optional<AttemptFailure>> send_over(upstream::Lease lease, bool fresh) {
    x_.answer = std::make_unique<Answer>(std::move(lease));
    Answer& answer = *x_.answer;
    if (!fresh) answer.connection = answer.lease.take_idle();
    // An unsafe request must not meet a connection that its instance is just closing.
    if (answer.connection && !x_.safe() && !answer.connection->stream().silent()) answer.connection.reset();
    if (!answer.connection) {
      auto connected = co_await answer.lease.connect(true);
      if (!connected) co_return AttemptFailure{.error = std::move(connected).error()};
      answer.connection = std::move(*connected);
      // The process that has the session's memory may have been replaced since the lease was given.
      if (is_bound() && answer.lease.instance().identity() != answer.lease.identity()) {
        answer.connection.reset();
        co_return AttemptFailure{.error = {Code::upstream_closed, Side::upstream, Retry::always, "replaced"}};
      }
    }
    if (x_.session) {
      x_.session->forget_wishes();
      if (x_.session->kind->has_document()) answer.session_url = x_.on.session_urls.open(*x_.session);
      if (!begin_visit(x_, with_document_)) co_await catch_up();
    }
    auto failed = co_await attempt(x_, answer);
    if (failed && failed->progress == Progress::nothing_sent) answer.visit.end_without_effect();
    co_return failed;
  }

  // Another exchange made a version meanwhile, and brings nothing but its number. A session that has ended is
  // left to the commit, which says so.
  io::Task<void> catch_up() {
    for (int tries = 0; tries < 3; ++tries) {
      const auto reloaded = co_await x_.on.sessions.reload(x_.on.loop, *x_.session);
      if (!reloaded || begin_visit(x_, with_document_)) co_return;
    }
  }

  upstream::Outcome outcome(bool failed) const {
    if (failed) return upstream::Outcome::failed;
    return asks_for_another(x_.answer->head.status) ? upstream::Outcome::unwell : upstream::Outcome::answered;
  }

  RetryVerdict verdict_on(const AttemptFailure& failed) const {
    return may_retry({.progress = failed.progress,
                      .safe = x_.safe(),
                      .reexecute = x_.use->reexecute,
                      .body_at_hand = body_at_hand(x_),
                      .timed_out = failed.timed_out});
  }

  bool went_stale(const AttemptFailure& failed) const {
    return x_.answer->connection && x_.answer->connection->reused() && !failed.by_client &&
           verdict_on(failed) == RetryVerdict::again;
  }

  // Nothing: try again. An error: what the client is told.
  Result<void> may_go_on(const AttemptFailure& failed) {
    if (failed.by_client) return std::unexpected(failed.error);
    const Error unknown{Code::outcome_unknown, Side::upstream, Retry::never, failed.error.context};
    const RetryVerdict verdict = verdict_on(failed);
    if (verdict == RetryVerdict::unknown) return std::unexpected(unknown);
    if (verdict == RetryVerdict::fail) return std::unexpected(failed.error);
    // A refused connect has taken the instance out, so this ends: it need not use up the attempts, or
    // requests would fail when all instances die at once, faster than their supervisor notices.
    if (failed.error.code == Code::connect_failed && failed.error.side == Side::upstream) return {};
    const bool permitted = verdict == RetryVerdict::again || take_permit();
    if (!permitted || x_.attempts >= attempts_max())
      return failed.progress == Progress::sent && !x_.safe() ? std::unexpected(unknown)
                                                             : std::unexpected(failed.error);
    return {};
  }

  bool wants_another() {
    const http::ResponseHead& head = x_.answer->head;
    return asks_for_another(head.status) && !tried_.only && x_.safe() && !touches_session(x_) &&
           body_at_hand(x_) && x_.attempts < attempts_max() && take_permit();
  }

  bool take_permit() {
    permit_.reset();
    permit_ = service_.service().permit_retry();
    return permit_.has_value();
  }

  // Once something was tried, "no instance is up" hides what really happened.
  Result<void> failure(Error error) {
    if (x_.attempts == 0 || !last_) return std::unexpected(std::move(error));
    return std::unexpected(last_->code == Code::upstream_closed && x_.sent && !x_.safe()
                               ? Error{Code::outcome_unknown, Side::upstream, Retry::never, last_->context}
                               : *last_);
  }

  Exchange& x_;
  upstream::ServiceOnLoop& service_;
  upstream::Attempts tried_;
  std::optional<upstream::Service::RetryPermit> permit_;
  std::optional<Error> last_;
  bool with_document_ = false;  // an instance did not hold it: this exchange always brings it now
};

}  // namespace

io::Task<Result<void>> forward(Exchange& x) {
  Forwarding forwarding(x);
  co_return co_await forwarding.run();
}

}  // namespace stateway::gateway
