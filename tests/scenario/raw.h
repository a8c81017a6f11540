// A client that says exactly what a test wants said, octet by octet, and blocks for the answer.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/clock.h"

namespace stateway::scenario {

/// One response as it came.
struct Reply {
  int status = 0;  // 0: there was none; the test has failed then
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;

  /// All values of that name joined by ", "; empty without one.
  std::string field(std::string_view name) const;
  bool has(std::string_view name) const;
  /// The code of a problem response ("bad-framing"); empty when it is none.
  std::string problem() const;
};

/// Whatever takes longer than `patience` fails the running test.
class Raw {
 public:
  explicit Raw(const Address& to, Duration patience = std::chrono::seconds(20));
  /// A connection that was accepted, or -1. Takes it over.
  Raw(int fd, Duration patience);
  Raw(Raw&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), patience_(other.patience_), unread_(other.unread_) {}
  Raw& operator=(Raw&&) = delete;
  ~Raw();

  bool connected() const { return fd_ >= 0; }
  /// False when the peer takes no more; that alone fails nothing.
  bool send(std::string_view octets);
  /// One whole response to a request of that method.
  Reply reply(std::string_view method = "GET");
  /// send and reply. `request` is a whole head (and body).
  Reply ask(std::string_view request);
  /// Exactly `n` octets, or what came before the end.
  std::string read(std::size_t n);
  /// All until the peer ends; a reset ends it as well.
  std::string read_to_end();
  /// Whether the end that was read was a reset.
  bool was_reset() const { return was_reset_; }
  /// At most `most` octets of what is there or comes next; empty at the end.
  std::string read_some(std::size_t most = 65536);
  /// What is there already; never waits.
  std::string read_now();
  /// Whether the peer has ended the connection already, and all it sent was read.
  bool at_end();
  /// Whether the peer has ended the connection within its patience, without sending more.
  bool ended() { return read_to_end().empty(); }
  void shutdown_write();
  /// send and shutdown_write in one segment, so that the peer cannot see one without the other.
  void send_last(std::string_view octets);
  void close();
  /// Ends the connection so that the peer sees a reset (TCP; a unix socket's peer sees one if it sent more
  /// than was read).
  void reset();

 private:
  bool wait(short events, Duration limit);

  int fd_ = -1;
  Duration patience_;
  std::string unread_;
  bool was_reset_ = false;
};

}  // namespace stateway::scenario
