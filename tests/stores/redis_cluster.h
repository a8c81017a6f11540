// A real Redis Cluster for one test: by default three masters with a replica each, on 127.0.0.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "redis_server.h"

namespace stateway::stores {

inline constexpr std::uint16_t kClusterSlots = 16384;

struct ClusterOptions {
  std::size_t masters = 3;
  std::size_t replicas = 1;                         // of each master
  std::chrono::milliseconds node_timeout = 1000ms;  // a failover begins about this long after a death
  std::vector<std::string> directives{};            // of every node's redis.conf
  std::string password{};
  std::optional<RedisOptions::Tls> tls{};  // for everything that nodes say, to each other as well
};

/// Nodes are numbered: the masters first, then the replicas, of master 0, 1, 2, 0, … Roles change with
/// failovers, numbers do not. Ready when the constructor returns, in about three seconds: as long as Redis
/// makes a master wait. Everything that cannot be done throws std::runtime_error.
class RedisCluster {
 public:
  using Slot = std::uint16_t;

  explicit RedisCluster(ClusterOptions options = {});

  std::size_t size() const { return nodes_.size(); }
  RedisServer& node(std::size_t number) { return *nodes_[number]; }
  /// "127.0.0.1:PORT" of each.
  std::vector<std::string> addresses() const;

  /// As Redis counts it (CLUSTER KEYSLOT).
  Slot slot_of(std::string_view key);
  /// Who serves the slot, in the view of the nodes that run; size() while they do not agree.
  std::size_t master_of(Slot slot);
  /// Nodes that replicate this one.
  std::vector<std::size_t> replicas_of(std::size_t master);
  /// Returns once all nodes that run see the same owners of all slots, none of them dead, and every other one
  /// that runs replicates an owner and has its data.
  void wait_until_healthy(Duration limit = 30s);
  /// Returns the node, another than `gone`, that serves `slot` once the others agree on it.
  std::size_t wait_for_another_master(Slot slot, std::size_t gone, Duration limit = 30s);

  /// Moves slots to another master while they are served, as `redis-cli --cluster reshard` does: each is
  /// announced, its keys go one by one, then it changes hands.
  void move(Slot first, Slot last, std::size_t to);
  /// The same in steps, for tests that look in between. From here on the owner answers ASK for keys that it
  /// does not have (any more).
  void begin_move(Slot slot, std::size_t to);
  /// At most `most` of its keys; returns how many went.
  std::size_t move_keys(Slot slot, std::size_t to, std::size_t most = 100);
  void end_move(Slot slot, std::size_t to);

 private:
  struct View {  // what one node says of one
    std::size_t node = 0;
    std::size_t master = 0;  // whom it replicates; itself: a master
    bool alive = true;
    std::vector<std::pair<Slot, Slot>> slots;
  };
  void write_nodes_file(std::size_t number, const ClusterOptions& options) const;
  std::vector<View> views_of(std::size_t witness);
  std::size_t number_of(std::string_view id) const;
  std::vector<std::size_t> owners_of(std::size_t witness);
  bool is_healthy();

  std::vector<std::string> ids_;
  std::vector<std::unique_ptr<RedisServer>> nodes_;
};

}  // namespace stateway::stores
