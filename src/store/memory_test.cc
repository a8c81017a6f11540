#include "store/memory.h"

#include "store/contract_test.h"
#include "store/lease_contract_test.h"
#include "store/repeat_contract_test.h"
#include "store/room_contract_test.h"

namespace stateway::store {
namespace {

struct InMemory {
  std::unique_ptr<StateStore> make(const WallClock& clock, std::uint64_t records_max) {
    return std::make_unique<MemoryStore>(clock, records_max);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreContract, InMemory);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreRepeats, InMemory);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreRoom, InMemory);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreLeases, InMemory);

}  // namespace
}  // namespace stateway::store
