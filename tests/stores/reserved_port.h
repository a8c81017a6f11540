// A TCP port of 127.0.0.1 for a server that a test starts, kills and starts again on the same port.
#pragma once

#include <cstdint>

namespace stateway::stores {

/// Chosen by the system and held by a socket that never listens: nobody else is given it, not even for an
/// outgoing connection, while a server that sets SO_REUSEADDR can listen on it. Until then, connecting is
/// refused.
class ReservedPort {
 public:
  ReservedPort();  // throws std::system_error
  ~ReservedPort();
  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;
  std::uint16_t number() const { return number_; }

 private:
  int socket_;
  std::uint16_t number_;
};

}  // namespace stateway::stores
