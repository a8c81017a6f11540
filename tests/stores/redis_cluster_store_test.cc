// The contract of stores over a real Redis Cluster of six.
#include <fstream>

#include "io/sim/certificates.h"
#include "redis_cluster.h"
#include "store/contract_test.h"
#include "store/lease_contract_test.h"
#include "store/redis/cluster_topology.h"
#include "store/redis/redis_store.h"
#include "store/repeat_contract_test.h"
#include "store/room_contract_test.h"
#include "store/temporary_directory.h"

namespace stateway::store {
namespace {

constexpr Duration kTimeout = 20s;  // sanitizers are slow

std::unique_ptr<StateStore> make_over(stores::RedisCluster& cluster, redis::Access access,
                                      const WallClock& clock, std::uint64_t records_max) {
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    stores::RedisServer& node = cluster.node(i);
    if (node.info("role") == "master") node.must({"FLUSHALL"});
    node.must({"SCRIPT", "FLUSH"});
  }
  access.timeout = kTimeout;
  const std::vector<Address> seeds{parse_address(cluster.node(5).address()).value()};
  auto topology = std::make_unique<redis::ClusterTopology>(seeds, std::move(access));
  return std::make_unique<redis::RedisStore>(std::move(topology), clock, kTimeout, records_max);
}

/// One for all tests: it is emptied in between.
struct ClusterOfSix {
  /// The rights that docs/guides/redis.md names: no test needs more.
  static constexpr const char* kUser =
      "user stateway on >secret ~stateway:* +@read +@write +@scripting +@connection -@dangerous +info +wait "
      "+time +cluster|slots";

  std::unique_ptr<StateStore> make(const WallClock& clock, std::uint64_t records_max) {
    static stores::RedisCluster six({.directives = {kUser}});
    return make_over(six, {.user = "stateway", .password = Secret("secret")}, clock, records_max);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(RedisCluster, StoreContract, ClusterOfSix);
INSTANTIATE_TYPED_TEST_SUITE_P(RedisCluster, StoreRepeats, ClusterOfSix);
INSTANTIATE_TYPED_TEST_SUITE_P(RedisCluster, StoreRoom, ClusterOfSix);
INSTANTIATE_TYPED_TEST_SUITE_P(RedisCluster, StoreLeases, ClusterOfSix);

/// Where nodes, and we, speak TLS only.
struct ClusterOverTls {
  std::unique_ptr<StateStore> make(const WallClock& clock, std::uint64_t records_max) {
    static const Files files;
    static stores::RedisCluster six({.tls = files.tls});
    return make_over(six, {.tls = io::TlsClient::open(files.tls.ca).value()}, clock, records_max);
  }

 private:
  struct Files {
    Files() {
      const io::TestAuthority authority;
      const io::TestCertificate node = authority.issue({"127.0.0.1"});
      std::ofstream(tls.certificate) << node.certificate;
      std::ofstream(tls.key) << node.key;
      std::ofstream(tls.ca) << authority.certificate();
    }
    TemporaryDirectory folder;
    const stores::RedisOptions::Tls tls{.certificate = folder.path() + "/node.pem",
                                        .key = folder.path() + "/node.key",
                                        .ca = folder.path() + "/ca.pem"};
  };
};
INSTANTIATE_TYPED_TEST_SUITE_P(RedisClusterOverTls, StoreRepeats, ClusterOverTls);
INSTANTIATE_TYPED_TEST_SUITE_P(RedisClusterOverTls, StoreRoom, ClusterOverTls);

}  // namespace
}  // namespace stateway::store
