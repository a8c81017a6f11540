// One client connection: its exchanges, one after the other.
#pragma once

#include <memory>

#include "gateway/exchange.h"
#include "gateway/on_loop.h"
#include "io/cancellable.h"
#include "io/network.h"
#include "io/tls_stream.h"

namespace stateway::gateway {

/// Lives in the gateway's task group, not with its client: an exchange that must not be given up runs to its
/// commit although its client has gone. Bound to one loop.
class Connection final : private io::Stream::HangupListener {
 public:
  /// `tls`: what the client must speak, or nullptr; needed only here.
  Connection(OnLoop& on, io::Accepted accepted, const io::TlsServer* tls);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Serves until either side ends the connection.
  io::Task<void> serve();
  /// Ends it if it waits for a request; otherwise its exchange is its last.
  void leave();

 private:
  class InFlight;
  io::Task<bool> shake_hands();
  io::Task<bool> serve_one();
  io::Task<Result<bool>> run(Exchange& x);
  io::Task<void> refuse(Exchange& x, Error error);
  void on_hangup() override;

  OnLoop& on_;
  io::TlsStream* tls_ = nullptr;  // accepted_'s stream
  io::Accepted accepted_;
  wire::Reader reader_;
  Client client_;
  Exchange* current_ = nullptr;
  io::CancelScope scope_;
  bool idle_ = false;
  bool first_ = true;
};

}  // namespace stateway::gateway
