// One end of a connection in the hands of a test: reads along by itself, and says what came and how it ended.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/sim/network.h"
#include "io/task_group.h"

namespace stateway::sim {

class Peer {
 public:
  /// `reads`: false for one that never takes an octet.
  explicit Peer(std::unique_ptr<io::Stream> stream, bool reads = true);

  /// Writes all of it, however long that takes.
  io::Task<void> send(std::string octets);
  /// Octets that have come so far.
  const std::string& got() const { return got_; }
  std::string take() { return std::exchange(got_, {}); }
  /// The other side has ended, cleanly or not.
  bool ended() const { return ended_ || broken_; }
  bool broken() const { return broken_; }
  void shutdown() { stream_->shutdown_write(); }
  io::Stream& stream() { return *stream_; }

 private:
  io::Task<void> read_along();

  std::unique_ptr<io::Stream> stream_;
  std::string got_;
  bool ended_ = false;
  bool broken_ = false;
  io::TaskGroup task_;  // last: ends before the stream
};

/// A server in the hands of a test: keeps every connection it accepts.
class Origin {
 public:
  /// `reads` as of its peers.
  Origin(io::SimHost& host, const Address& at, bool reads = true);

  /// The last connection on which octets have come, or nullptr. Probes that only connect are none.
  Peer* asked();
  const std::vector<std::unique_ptr<Peer>>& peers() const { return peers_; }

 private:
  io::Task<void> accept();

  std::unique_ptr<io::Acceptor> acceptor_;
  const bool reads_;
  std::vector<std::unique_ptr<Peer>> peers_;
  io::TaskGroup task_;
};

}  // namespace stateway::sim
