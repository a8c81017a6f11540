// reads: session, request (method). fills: turn, session anew.
#pragma once

#include "gateway/stage.h"

namespace stateway::gateway {

/// lane = "serial": unsafe exchanges of one session take turns, in the order of their arrival; each is given
/// what those before it committed. Safe ones run beside them, and so do those that begin a session: no client
/// knows of it yet. A turn is over with the commit. Turns are also taken, whatever the lane and the method,
/// while a session moves away from an instance: the first exchange brings its document. Errors of enter:
/// lane_full; session_ended, when the session ended or was renewed meanwhile; store_unavailable.
class LaneStage final : public Stage {
 public:
  std::string_view name() const override { return "lane"; }
  io::Task<Result<Verdict>> enter(Exchange& x) override;
};

}  // namespace stateway::gateway
