// A step of the pipeline. Stages hold configuration only; what belongs to a request lives in its Exchange.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "gateway/exchange.h"
#include "io/task.h"

namespace stateway::gateway {

/// Nothing: go on. A response: answer with it now.
using Verdict = std::optional<OwnResponse>;

class Stage {
 public:
  virtual ~Stage() = default;
  virtual std::string_view name() const = 0;
  /// On the way to the instance. An error becomes the problem of its code (problem.h).
  virtual io::Task<Result<Verdict>> enter(Exchange& x) = 0;
  /// On the way back, in reverse order, when an instance has answered. Must not suspend. An error replaces
  /// the answer.
  virtual Result<void> leave(Exchange&) { return {}; }
};

}  // namespace stateway::gateway
