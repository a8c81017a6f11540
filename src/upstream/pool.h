// Idle keep-alive connections of one loop to one instance.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "io/loop.h"
#include "upstream/connection.h"

namespace stateway::upstream {

/// Last in, first out: a few stay busy and the rest expire. Not thread-safe.
class Pool final : private io::Timer {
 public:
  /// A connection is closed after `idle_max` without use; of more than `connections_max` the oldest is.
  Pool(io::Loop& loop, Duration idle_max, std::size_t connections_max);
  ~Pool() override = default;

  /// The one used last, marked as reused; nullptr if there is none. Those that the instance has closed, has
  /// spoken on, or that belong to another generation are closed.
  std::unique_ptr<Connection> take(std::uint64_t generation);
  /// Keeps `connection` if it can be used again: nothing unread, not ended, of `generation`. Otherwise closes
  /// it. The caller knows that both messages ended cleanly and neither side asked to close.
  void put(std::unique_ptr<Connection> connection, std::uint64_t generation);
  /// Closes what belongs to another generation.
  void keep_only(std::uint64_t generation);
  std::size_t size() const { return idle_.size(); }

 private:
  friend class Connection;
  void on_timer() override;
  void hung_up(Connection& connection);
  void arm_for_oldest();

  io::Loop& loop_;
  Duration idle_max_;
  std::size_t connections_max_;
  std::vector<std::unique_ptr<Connection>> idle_;  // in the order they were put
  std::vector<std::unique_ptr<Connection>>
      dead_;  // a stream must not die inside its own event: closed by timer
};

}  // namespace stateway::upstream
