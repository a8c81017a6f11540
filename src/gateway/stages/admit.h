// reads: request, framing, route, host, secure, websocket. fills: nothing.
#pragma once

#include "gateway/stage.h"

namespace stateway::gateway {

/// Refuses what its head alone condemns. Errors: body_too_large (a Content-Length over route.max_body),
/// origin_forbidden (a WebSocket on a session route from a page that is neither ours nor listed in
/// route.origins).
class AdmitStage final : public Stage {
 public:
  std::string_view name() const override { return "admit"; }
  io::Task<Result<Verdict>> enter(Exchange& x) override;
};

}  // namespace stateway::gateway
