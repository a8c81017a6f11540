// The seam between what a store wants of Redis and which servers there are: one, one that sentinels name, or
// a cluster.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/network.h"
#include "io/task.h"
#include "store/redis/reply.h"

namespace stateway::store::redis {

struct Request {
  std::string key;      // whose server is meant: its slot is that of all keys of the command
  std::string command;  // format_command, or `replies` of them in one piece
  unsigned replies = 1;
  /// Doing it twice is doing it once: it may be sent again when nobody knows whether it was done.
  bool repeatable = true;
  /// It may take long (WAIT): it goes over a connection of its own, which is shared only with others like it.
  bool waits = false;
};

struct Answer {
  Reply reply;  // of several commands: an array of their replies
  /// The process that gave it. Another number: another process, which may not have what this one had.
  std::uint64_t server = 0;
};

/// Of one loop; not thread-safe. Dies after the coroutines that asked it.
class Router {
 public:
  virtual ~Router() = default;

  /// Asks the server that has the key, over another connection or at another server if need be, until
  /// `deadline`. The reply may be an error of the server's, but none that says "not here" or "not now"
  /// (MOVED, READONLY, LOADING, …). Errors: store_unavailable, with the reason; Retry::always: it was not
  /// done, otherwise it may have been. The waiting coroutine may be destroyed.
  virtual io::Task<Result<Answer>> ask(Request request, TimePoint deadline) = 0;

  /// Connects: whether there is a store at all, or what the operator must change. Errors: invalid_argument,
  /// store_unavailable, each with a sentence.
  virtual io::Task<Result<void>> ready(TimePoint deadline) = 0;
};

/// What all loops know of the servers. Thread-safe.
class Topology {
 public:
  virtual ~Topology() = default;

  /// On the loop's thread, or before it runs. The loop, the network and this must outlive the router.
  virtual std::unique_ptr<Router> make_router(io::Loop& loop, io::Network& network) = 0;
  /// StateStore::epoch and ::partition; `key` is one of Redis.
  virtual std::uint64_t epoch() const = 0;
  virtual std::size_t partition(std::string_view key) const = 0;
  /// A key for each server that has a part of the data, once they are known: for what all are asked.
  virtual std::vector<std::string> probes() const = 0;
};

}  // namespace stateway::store::redis
