// A WebSocket after its handshake: octets both ways until either side ends.
#pragma once

#include <string>

#include "gateway/exchange.h"

namespace stateway::gateway {

/// Sends `head`, then copies both ways with back-pressure. Ends when both sides have ended, when either
/// breaks, or when neither says anything for the service's timeout.idle. The session was committed before.
io::Task<void> run_tunnel(Exchange& x, std::string head);

}  // namespace stateway::gateway
