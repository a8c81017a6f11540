// Where streams come from. The production implementation is io/epoll.h; the simulation has its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "io/stream.h"
#include "io/task.h"

namespace stateway::io {

struct Accepted {
  std::unique_ptr<Stream> stream;
  std::string peer;  // the client's IP address in text without port; "unix" for a unix socket
};

/// Hands out the connections of one listening socket on one loop. Not thread-safe.
class Acceptor {
 public:
  virtual ~Acceptor() = default;
  /// The next connection. Waits without a deadline; ends with its loop or by destruction.
  /// Errors: Code::io when the system is short of descriptors or memory (worth a pause, then another try).
  virtual Task<Result<Accepted>> accept() = 0;
};

/// Opens streams on one loop. Not thread-safe.
class Network {
 public:
  virtual ~Network() = default;
  /// Errors: connect_failed (refused, unreachable, unknown name), connect_timeout (also a unix socket's full
  /// backlog); Retry::always, and Side::upstream unless we ourselves lack descriptors, ports or memory
  /// (Side::self).
  virtual Task<Result<std::unique_ptr<Stream>>> connect(const Address& to, TimePoint deadline) = 0;
  /// All addresses of the family that the system prefers for the name in `name`, with its port, sorted, at
  /// least one and at most kAddressesMax. When it cannot be looked up now, the last good answer. Errors:
  /// connect_failed, connect_timeout. Here, for networks without names: a name stands for itself.
  virtual Task<Result<std::vector<Address>>> resolve(Address name, TimePoint deadline);
  static constexpr std::size_t kAddressesMax = 256;  // a service behind one name has fewer; DNS is not ours
};

}  // namespace stateway::io
