// The life of an exchange, from its parsed head to its last octet.
#pragma once

#include <memory>
#include <vector>

#include "gateway/stage.h"

namespace stateway::gateway {

/// The stages in their order. Immutable; shared by all loops.
class Pipeline {
 public:
  Pipeline();

  /// Runs one exchange to its end. Destroying the task gives the exchange up (see
  /// Exchange::may_be_abandoned).
  io::Task<void> run(Exchange& x) const;

 private:
  io::Task<Result<Verdict>> enter(Exchange& x) const;
  Result<void> leave(Exchange& x) const;
  io::Task<Result<void>> answer_and_commit(Exchange& x) const;

  std::vector<std::unique_ptr<Stage>> stages_;
};

}  // namespace stateway::gateway
