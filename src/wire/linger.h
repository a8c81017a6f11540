// Ending a connection whose peer may still be sending, without losing the answer it was given.
#pragma once

#include "io/stream.h"
#include "io/task.h"

namespace stateway::wire {

/// How long, and for how many octets, the rest of a request is waited for.
inline constexpr Duration kLinger = 1s;
inline constexpr std::size_t kLingerBytes = 256 * 1024;

/// Closing with unread octets would make the kernel reset the connection, and the peer might lose our answer
/// (RFC 9112 §9.6): ends our side, then reads and forgets until the peer ends its own, for kLinger and
/// kLingerBytes at most. Close the stream afterwards.
io::Task<void> linger(io::Stream& stream);

}  // namespace stateway::wire
