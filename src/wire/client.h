// A simple HTTP/1.1 client over one stream: whole messages in memory. For health checks, the lab and tests;
// what the gateway forwards goes through gateway/forward.h instead, which streams.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/reader.h"

namespace stateway::wire {

struct ClientRequest {
  std::string_view method = "GET";
  std::string_view target = "/";
  std::string_view host = "localhost";
  std::vector<std::pair<std::string, std::string>> fields;  // Host and Content-Length are added
  std::string body;                                         // a Content-Length is sent when it is not empty
};

struct ClientResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;

  /// The first field of that name (ASCII case ignored), or nullptr.
  const std::string* field(std::string_view name) const;
};

/// What the sender can know of a request that failed.
enum class Sent : unsigned char { nothing, unknown };

class Client {
 public:
  struct Limits {
    http::HeadLimits head;
    std::size_t body_bytes_max = 16 * 1024 * 1024;
  };
  Client(std::unique_ptr<io::Stream> stream, Limits limits);

  /// Sends one request and reads its whole answer; interim (1xx) answers are skipped. One at a time.
  /// Errors: as Reader's, body_too_large; afterwards the client is not reusable.
  io::Task<Result<ClientResponse>> exchange(const ClientRequest& request, TimePoint deadline);
  /// The same, but the body of a success (2xx) goes piece by piece to `into`, and every piece has `quiet` to
  /// come. `into` may refuse one; then that is the error.
  using Sink = std::function<Result<void>(std::string_view piece)>;
  io::Task<Result<ClientResponse>> download(const ClientRequest& request, Duration quiet, const Sink& into);
  /// Whether another exchange may follow on this connection.
  bool reusable() const { return reusable_ && reader_.empty() && !stream_->maybe_readable(); }
  /// After a failure: whether any octet of the request had been handed to the system.
  Sent sent() const { return sent_; }
  io::Stream& stream() { return *stream_; }

 private:
  /// By when the next step of an answer must be done.
  struct Patience {
    TimePoint deadline;             // of the whole, unless …
    std::optional<Duration> quiet;  // … each piece has so long
  };
  TimePoint until(const Patience& patience) const;
  io::Task<Result<ClientResponse>> send(const ClientRequest& request, Patience patience, const Sink* into);
  io::Task<Result<ClientResponse>> read_response(http::Method method, Patience patience, const Sink* into);

  std::unique_ptr<io::Stream> stream_;
  Reader reader_;
  Limits limits_;
  bool reusable_ = true;
  Sent sent_ = Sent::nothing;
};

}  // namespace stateway::wire
