// Gets an answer to the exchange's request from some instance: chooses, connects, sends, and tries again
// where that is safe.
#pragma once

#include "gateway/exchange.h"

namespace stateway::gateway {

/// Fills x.answer: a head has been read, its body waits. Errors: what the client is to be told (no_instance,
/// instance_lost, queue_full, connect_*, response_timeout, outcome_unknown, upstream_closed, bad_response),
/// or the client's own failure (body_timeout, bad_chunk, body_too_large, closed).
io::Task<Result<void>> forward(Exchange& x);

}  // namespace stateway::gateway
