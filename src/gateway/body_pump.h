// The request's body on its way from the client to an instance, beside the wait for the answer.
#pragma once

#include <optional>

#include "gateway/exchange.h"
#include "io/task_group.h"

namespace stateway::gateway {

/// Takes from the client's reader what is there without waiting, and keeps it in x.held while that has room.
/// Returns whether the body is complete. Errors: the client's (bad_chunk, …), body_too_large
/// (route.max_body).
Result<bool> hold_buffered_body(Exchange& x);

/// Sends what x.held has, then the rest as it comes, in the framing given; holds what it sends while there is
/// room. At most one buffer of the body is in memory beyond that: a slow instance slows the client down.
class BodyPump {
 public:
  /// `to` and `x` must outlive the pump.
  BodyPump(Exchange& x, io::Stream& to, http::Framing framing, Duration write_timeout)
      : x_(x), to_(to), framing_(framing), write_timeout_(write_timeout) {}
  BodyPump(const BodyPump&) = delete;
  BodyPump& operator=(const BodyPump&) = delete;

  /// Begins; destroying the pump ends it.
  void start() { task_.spawn(run()); }
  /// All was sent; at that time.
  bool done() const { return done_at_.has_value(); }
  TimePoint done_at() const { return *done_at_; }
  /// The client failed us; the instance's connection was broken off so that nobody takes the part for the
  /// whole.
  const std::optional<Error>& client_error() const { return client_error_; }
  /// No longer running, for any of these reasons or because the instance takes no more.
  bool ended() const { return task_.running() == 0; }

 private:
  io::Task<void> run();
  io::Task<Result<void>> send(std::string_view data);
  io::Task<Result<void>> send_end();

  Exchange& x_;
  io::Stream& to_;
  http::Framing framing_;
  Duration write_timeout_;
  std::optional<TimePoint> done_at_;
  std::optional<Error> client_error_;
  io::TaskGroup task_;  // last: destroyed first
};

}  // namespace stateway::gateway
