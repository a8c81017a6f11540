// A simple HTTP/1.1 server: whole requests in memory, one handler. For the admin API, session URLs and the
// example services; clients of the gateway are served by gateway/connection.h, which streams.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "http/target.h"
#include "io/network.h"
#include "io/task_group.h"
#include "io/wait_queue.h"
#include "wire/reader.h"

namespace stateway::wire {

struct Request {
  const http::RequestHead& head;  // valid until the handler's task ends
  http::Target target;
  std::string body;
  std::string_view peer;  // the client's IP address, or "unix"
};

/// A body that is made while it is sent.
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// The next piece; empty: that was all. Of an error the client learns by a body that breaks off.
  virtual io::Task<Result<std::string>> next() = 0;
};

struct Response {
  int status = 200;
  /// Date, Content-Length or Transfer-Encoding, and Connection are added.
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  bool close = false;  // end the connection after this answer
  /// In place of `body`: sent in chunks, or to a client of HTTP/1.0 until the connection ends.
  std::shared_ptr<BodySource> source{};
};

/// An application/problem+json response (RFC 9457) of type urn:stateway:problem:<code>.
Response problem_response(int status, std::string_view code, std::string_view title, std::string_view detail);

class Handler {
 public:
  virtual ~Handler() = default;
  /// Answers one request. The body was read whole.
  virtual io::Task<Response> handle(const Request& request) = 0;
  /// Called when a response was written, or could not be.
  virtual void answered() {}
};

struct ServerOptions {
  http::HeadLimits head;
  std::size_t body_bytes_max = 1024 * 1024;
  Duration message_timeout = 10s;  // for a whole request, and for a response, or each piece of its source
  Duration idle = 60s;
  const WallClock* clock = nullptr;  // for Date; nullptr: the machine's. Must outlive the server
  /// At once. Above it the connection that has been idle longest makes room; while none is idle, whoever
  /// comes waits.
  std::size_t connections_max = 10'000;
};

/// Bound to one loop. Malformed requests are answered with a problem and the connection ends.
class Server {
 public:
  Server(io::Loop& loop, Handler& handler, ServerOptions options)
      : loop_(loop), handler_(handler), options_(options), room_(loop) {}

  /// For requests that come from now on.
  void set_body_bytes_max(std::size_t bytes) { options_.body_bytes_max = bytes; }

  /// Accepts and serves until destroyed. `acceptor` must live as long.
  io::Task<void> accept_from(io::Acceptor& acceptor);
  /// No connection is kept alive any more; those that are idle end now.
  void drain();
  /// Completes when the last connection has ended.
  auto drained() { return connections_.drained(); }

 private:
  class Connection;
  io::Task<void> serve(io::Accepted accepted);
  WallMillis wall_now() const;
  io::Task<void> make_room();

  io::Loop& loop_;
  Handler& handler_;
  ServerOptions options_;
  Connection* first_ = nullptr;
  std::size_t open_ = 0;
  io::WaitQueue room_;
  bool draining_ = false;
  io::TaskGroup connections_;
};

}  // namespace stateway::wire
