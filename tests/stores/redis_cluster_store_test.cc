// The contract of stores over a real Redis Cluster of six.
#include "redis_cluster.h"
#include "store/contract_test.h"
#include "store/lease_contract_test.h"
#include "store/redis/cluster_topology.h"
#include "store/redis/redis_store.h"
#include "store/repeat_contract_test.h"
#include "store/room_contract_test.h"

namespace stateway::store {
namespace {

struct ClusterOfSix {
  /// The rights that docs/guides/redis.md names: no test needs more.
  static constexpr const char* kUser =
      "user stateway on >secret ~stateway:* +@read +@write +@scripting +@connection -@dangerous +info +wait "
      "+cluster|slots";

  /// One for all tests: it is emptied in between.
  static stores::RedisCluster& cluster() {
    static stores::RedisCluster six({.directives = {kUser}});
    return six;
  }
  std::unique_ptr<StateStore> make(const WallClock& clock, std::uint64_t records_max) {
    for (std::size_t i = 0; i < cluster().size(); ++i) {
      stores::RedisServer& node = cluster().node(i);
      if (node.info("role") == "master") node.must({"FLUSHALL"});
      node.must({"SCRIPT", "FLUSH"});
    }
    constexpr Duration kTimeout = 20s;  // sanitizers are slow
    const std::vector<Address> seeds{parse_address(cluster().node(5).address()).value()};
    redis::Access access{.user = "stateway", .password = Secret("secret"), .timeout = kTimeout};
    auto topology = std::make_unique<redis::ClusterTopology>(seeds, std::move(access));
    return std::make_unique<redis::RedisStore>(std::move(topology), clock, kTimeout, records_max);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(RedisCluster, StoreContract, ClusterOfSix);
INSTANTIATE_TYPED_TEST_SUITE_P(RedisCluster, StoreRepeats, ClusterOfSix);
INSTANTIATE_TYPED_TEST_SUITE_P(RedisCluster, StoreRoom, ClusterOfSix);
INSTANTIATE_TYPED_TEST_SUITE_P(RedisCluster, StoreLeases, ClusterOfSix);

}  // namespace
}  // namespace stateway::store
