#include "store/contract_test.h"
#include "store/lease_contract_test.h"
#include "store/outage/outage_fixture.h"
#include "store/repeat_contract_test.h"
#include "store/room_contract_test.h"

namespace stateway::store::outage {
namespace {

// While the store answers it is that store.
struct BeforeMemory {
  std::unique_ptr<StateStore> make(const WallClock& clock, std::uint64_t records_max) {
    const OutageStore::Options options{
        .local = {.journal = {.folder = directory.path() + "/journal", .bytes_max = 64 << 20},
                  .overlay_bytes_max = 1 << 20}};
    auto opened =
        OutageStore::open(std::make_unique<MemoryStore>(clock, records_max), clock, random, remaker, options);
    EXPECT_TRUE(opened) << opened.error().context;
    return std::move(*opened);
  }
  TemporaryDirectory directory;
  SeededRandom random{1};
  LineRemaker remaker;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Outage, StoreContract, BeforeMemory);
INSTANTIATE_TYPED_TEST_SUITE_P(Outage, StoreRepeats, BeforeMemory);
INSTANTIATE_TYPED_TEST_SUITE_P(Outage, StoreRoom, BeforeMemory);
INSTANTIATE_TYPED_TEST_SUITE_P(Outage, StoreLeases, BeforeMemory);

}  // namespace
}  // namespace stateway::store::outage
