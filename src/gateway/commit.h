// The commit rule: what the answer wants kept is durable before its head leaves.
#pragma once

#include "gateway/exchange.h"

namespace stateway::gateway {

/// Commits what the stages' `leave` put into the exchange. Success: durable, or nothing to do. Errors:
/// nothing was committed (but see store_unavailable), and the answer must not be shown.
io::Task<Result<void>> commit(Exchange& x);

/// The commit failed because the session changed, and the route wants the exchange run again on the latest
/// version.
bool may_run_again(const Exchange& x, const Error& error);
/// Puts the latest version into the exchange's session slot.
io::Task<Result<void>> reload(Exchange& x);

}  // namespace stateway::gateway
