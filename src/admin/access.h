// Who may call the admin API. A page in an operator's browser must not, wherever the API listens: DNS
// rebinding makes its requests same-origin, and forms are sent across sites without asking.
#pragma once

#include <optional>

#include "base/address.h"
#include "base/secret.h"
#include "http/message.h"
#include "http/target.h"
#include "wire/server.h"

namespace stateway::admin {

struct AccessRules {
  Address own;                  // where the API listens; its port is the bound one, never 0
  std::optional<Secret> token;  // unset: nobody is asked for one
};

/// nullopt lets the request in; otherwise the problem to answer with, by the first rule it breaks:
/// 403 the host it is for (the target's authority, else Host) must be the listener's own: the configured
/// host; where
///     that is a loopback address or name any of 127.0.0.1, [::1] and localhost; where it is a wildcard any
///     IP address or localhost; always with the bound port, which may be left out if it is 80. A unix socket
///     takes any host.
/// 403 unsafe methods: no Sec-Fetch-Site but same-origin and none, no Origin but that of the host it is for.
/// 401 the bearer token (RFC 6750 §2.1), if the rules have one. /healthz and /readyz need none.
/// 415 unsafe methods: Content-Type application/json, also without a body.
/// Pure; any thread.
std::optional<wire::Response> refuse(const AccessRules& rules, const http::RequestHead& head,
                                     const http::Target& target);

}  // namespace stateway::admin
