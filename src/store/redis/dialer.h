// Where a connection's bytes go: a server at an address, or whoever is the master now.
#pragma once

#include <memory>
#include <string>

#include "base/address.h"
#include "io/network.h"
#include "io/tls_stream.h"

namespace stateway::store::redis {

/// Not thread-safe: of one loop.
class Dialer {
 public:
  virtual ~Dialer() = default;
  /// Opens a stream to the server; asked anew for each connection. Errors: as Network::connect.
  virtual io::Task<Result<std::unique_ptr<io::Stream>>> dial(TimePoint deadline) = 0;
  /// What was dialed last proved to be a server that can be used.
  virtual void greeted() {}
  /// The server, for the log and for errors: "redis 127.0.0.1:6379".
  virtual std::string name() const = 0;
};

class AddressDialer final : public Dialer {
 public:
  /// `network` must outlive the dialer. With `tls`, the stream is one of TLS.
  AddressDialer(io::Network& network, Address address, std::shared_ptr<const io::TlsClient> tls = nullptr)
      : network_(network), address_(std::move(address)), tls_(std::move(tls)) {}
  io::Task<Result<std::unique_ptr<io::Stream>>> dial(TimePoint deadline) override {
    return tls_ == nullptr ? network_.connect(address_, deadline)
                           : io::connect_tls(network_, tls_, address_, deadline);
  }
  std::string name() const override { return "redis " + to_string(address_); }

 private:
  io::Network& network_;
  Address address_;
  std::shared_ptr<const io::TlsClient> tls_;
};

}  // namespace stateway::store::redis
