// reads: request. fills: target, host, id, trusted_peer, secure, websocket, route, use, service.
#pragma once

#include "gateway/stage.h"

namespace stateway::gateway {

/// Gives the request its one form and finds its route.
/// Errors: bad_host, bad_target, expectation_failed, no_route. Answers 405 itself, with Allow.
class RouteStage final : public Stage {
 public:
  std::string_view name() const override { return "route"; }
  io::Task<Result<Verdict>> enter(Exchange& x) override;
};

}  // namespace stateway::gateway
