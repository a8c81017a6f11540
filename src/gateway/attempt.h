// One sending of the request to one instance, up to the head of its answer.
#pragma once

#include "gateway/exchange.h"

namespace stateway::gateway {

/// How far an attempt came that brought no answer.
enum class Progress : std::uint8_t {
  nothing_sent,  // no octet was handed to the system
  sent,          // the instance may have seen the request
  answered,      // it answered, but not with HTTP
};

struct AttemptFailure {
  Error error;
  Progress progress = Progress::nothing_sent;
  bool timed_out = false;
  bool by_client = false;  // the client failed us, not the instance
};

/// Sends the request over answer.connection and reads the answer's head into `answer`. Interim answers go to
/// the client as they come. nullopt: there is an answer.
io::Task<std::optional<AttemptFailure>> attempt(Exchange& x, Answer& answer);

}  // namespace stateway::gateway
