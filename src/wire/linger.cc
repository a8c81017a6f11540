#include "wire/linger.h"

namespace stateway::wire {

io::Task<void> linger(io::Stream& stream) {
  stream.shutdown_write();
  const TimePoint deadline = stream.loop().now() + kLinger;
  char buffer[4096];
  for (std::size_t octets = 0; octets < kLingerBytes;) {
    const auto n = co_await stream.read_some(buffer, deadline);
    if (!n || *n == 0) co_return;
    octets += *n;
  }
}

}  // namespace stateway::wire
