// Whether a request that brought no answer may be sent again: one pure rule.
#pragma once

#include "gateway/attempt.h"

namespace stateway::gateway {

struct RetryFacts {
  Progress progress = Progress::nothing_sent;
  bool safe = false;         // the method
  bool reexecute = false;    // route.replay
  bool body_at_hand = true;  // the body can be sent again from its beginning
  bool timed_out = false;
};

enum class RetryVerdict : std::uint8_t {
  again,              // counts against service.retry.attempts only
  again_with_permit,  // and needs a share of service.retry.budget
  unknown,            // the request may have had its effect: Code::outcome_unknown
  fail,               // the attempt's own error stands
};

/// Nothing sent: always again. Sent and never answered: safe requests, and others where the route says
/// re-execute, go again; for other unsafe ones the outcome is unknown. An answer that is no HTTP ends it.
constexpr RetryVerdict may_retry(const RetryFacts& f) {
  if (!f.body_at_hand)
    return f.progress == Progress::sent && !f.safe ? RetryVerdict::unknown : RetryVerdict::fail;
  if (f.progress == Progress::nothing_sent) return RetryVerdict::again;
  if (f.progress == Progress::answered) return RetryVerdict::fail;
  if (!f.safe && !f.reexecute) return RetryVerdict::unknown;
  return f.timed_out ? RetryVerdict::again_with_permit : RetryVerdict::again;
}

}  // namespace stateway::gateway
