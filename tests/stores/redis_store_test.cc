// The contract of stores over a real Redis.
#include "store/redis/redis_store.h"

#include "redis_server.h"
#include "store/contract_test.h"
#include "store/lease_contract_test.h"
#include "store/redis/single.h"
#include "store/repeat_contract_test.h"
#include "store/room_contract_test.h"

namespace stateway::store {
namespace {

struct OneRedis {
  /// One for all tests: it is emptied in between.
  static stores::RedisServer& server() {
    static stores::RedisServer redis;
    return redis;
  }
  std::unique_ptr<StateStore> make(const WallClock& clock, std::uint64_t records_max) {
    server().must({"FLUSHALL"});
    server().must({"SCRIPT", "FLUSH"});
    constexpr Duration kTimeout = 20s;  // sanitizers are slow
    auto topology = std::make_unique<redis::SingleTopology>(parse_address(server().address()).value(),
                                                            redis::Access{.timeout = kTimeout});
    return std::make_unique<redis::RedisStore>(std::move(topology), clock, kTimeout, records_max);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Redis, StoreContract, OneRedis);
INSTANTIATE_TYPED_TEST_SUITE_P(Redis, StoreRepeats, OneRedis);
INSTANTIATE_TYPED_TEST_SUITE_P(Redis, StoreRoom, OneRedis);
INSTANTIATE_TYPED_TEST_SUITE_P(Redis, StoreLeases, OneRedis);

}  // namespace
}  // namespace stateway::store
