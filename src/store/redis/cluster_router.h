// One loop's way to a cluster's nodes: by slot, and on to where they say it went.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "io/loop.h"
#include "io/task_group.h"
#include "io/wait_queue.h"
#include "store/redis/cluster_topology.h"
#include "store/redis/router.h"
#include "store/redis/single.h"

namespace stateway::store::redis {

class ClusterRouter final : public Router {
 public:
  static constexpr Duration kConnectPatience = 100ms;  // then the map may know somebody else
  static constexpr Duration kWitnessPatience = 500ms;  // then another node is asked for the map
  static constexpr Duration kPauseMin = 5ms;           // before a command is repeated; doubles
  static constexpr Duration kPauseMax = 100ms;
  static constexpr unsigned kHopsMax = 5;  // redirects in a row: nodes that disagree need a pause

  /// All must outlive the router.
  ClusterRouter(io::Loop& loop, io::Network& network, ClusterTopology& topology);
  ~ClusterRouter() override;

  /// Of several commands only the first may have a key.
  io::Task<Result<Answer>> ask(Request request, TimePoint deadline) override;
  io::Task<Result<void>> ready(TimePoint deadline) override;

 private:
  struct Node;
  struct Errand;  // one request
  class Refreshing;

  std::shared_ptr<Node> node_at(const Address& address);
  const SlotMap& map();
  static io::Task<Result<Reply>> send(io::Loop& loop, Connection& connection, std::string command,
                                      TimePoint deadline, unsigned replies);
  /// Whether the errand is over: then its answer says how.
  io::Task<bool> attempt(Errand& errand, TimePoint deadline);
  bool judge(Errand& errand, const Node& node, std::uint64_t server, Reply reply);
  void refresh_soon();
  io::Task<void> refresh();
  void forget_nodes();

  io::Loop& loop_;
  io::Network& network_;
  ClusterTopology& topology_;

  std::shared_ptr<const SlotMap> map_;
  std::uint64_t map_version_ = 0;
  Error no_map_{.code = Code::store_unavailable, .side = Side::store, .context = "no node was asked yet"};
  io::WaitQueue refreshed_;
  std::map<std::string, std::shared_ptr<Node>> nodes_;  // by address
  io::TaskGroup refreshes_;                             // goes first
};

}  // namespace stateway::store::redis
