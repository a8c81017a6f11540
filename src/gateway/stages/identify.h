// reads: request (cookies), secure, use. fills: session.
#pragma once

#include "gateway/stage.h"

namespace stateway::gateway {

/// From cookie to session record, and from the service's answer to what is to be committed.
/// Errors of enter: store_unavailable. Of leave: bad_patch.
class IdentifyStage final : public Stage {
 public:
  std::string_view name() const override { return "identify"; }
  io::Task<Result<Verdict>> enter(Exchange& x) override;
  Result<void> leave(Exchange& x) override;
};

}  // namespace stateway::gateway
