// The last step: the response goes to the client.
#pragma once

#include "gateway/exchange.h"

namespace stateway::gateway {

/// Sends x.answer: head, body, or a tunnel after 101. What breaks off after the head ends the client's
/// connection with a reset, so that nobody takes a part for the whole. Fills x.status, x.bytes_out, x.close.
io::Task<void> respond(Exchange& x);

/// Sends a response of the gateway's own, and closes if the request's body was not read.
io::Task<void> respond_own(Exchange& x, OwnResponse response);

/// The problem of `error` (problem.h), as the client is to see it.
OwnResponse problem_response(const Exchange& x, const Error& error);

}  // namespace stateway::gateway
