// The head of the request as an instance gets it.
#pragma once

#include <string>

#include "gateway/exchange.h"
#include "http/framing.h"
#include "upstream/options.h"

namespace stateway::gateway {

/// Appends the whole head to `out`. `framing` is that of the body as it will be sent; `session_url` is empty
/// where the service gets no document; `token` is the instance's, or nullptr. `expect`: pass the client's
/// 100-continue on. Dropped: hop-by-hop fields, inbound Stateway-*, our cookies, what Via and Forwarded
/// replace.
void append_request_head(std::string& out, const Exchange& x, const upstream::ServiceOptions& service,
                         http::Framing framing, bool expect, std::string_view session_url,
                         const Secret* token);

}  // namespace stateway::gateway
