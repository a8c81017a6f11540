#include "store/embedded.h"

#include <filesystem>
#include <fstream>

#include "store/contract_test.h"
#include "store/database_options.h"
#include "store/record_codec.h"
#include "store/repeat_contract_test.h"
#include "store/room_contract_test.h"
#include "store/temporary_directory.h"

namespace stateway::store {
namespace {

std::unique_ptr<StateStore> open_at(const std::string& path, Durability durability, const WallClock& clock,
                                    std::uint64_t records_max = 1000, std::size_t memory = 64u << 20) {
  auto opened = EmbeddedStore::open(
      {.path = path, .durability = durability, .memory_bytes_max = memory, .sessions_max = records_max},
      clock);
  EXPECT_TRUE(opened) << opened.error().context;
  return std::move(opened).value();
}

template <Durability kDurability, std::size_t kHotBytes>
struct Embedded {
  std::unique_ptr<StateStore> make(const WallClock& clock, std::uint64_t records_max) {
    return open_at(directory.path() + "/state", kDurability, clock, records_max, kHotBytes);
  }
  TemporaryDirectory directory;
};

using Synced = Embedded<Durability::sync, 64u << 20>;
using UnsyncedAndCold = Embedded<Durability::os, 0>;
using VolatileAndHalfCold = Embedded<Durability::memory, 64u << 10>;
INSTANTIATE_TYPED_TEST_SUITE_P(Synced, StoreContract, Synced);
INSTANTIATE_TYPED_TEST_SUITE_P(Synced, StoreRepeats, Synced);
INSTANTIATE_TYPED_TEST_SUITE_P(Synced, StoreRoom, Synced);
INSTANTIATE_TYPED_TEST_SUITE_P(UnsyncedAndCold, StoreContract, UnsyncedAndCold);
INSTANTIATE_TYPED_TEST_SUITE_P(UnsyncedAndCold, StoreRepeats, UnsyncedAndCold);
INSTANTIATE_TYPED_TEST_SUITE_P(UnsyncedAndCold, StoreRoom, UnsyncedAndCold);
INSTANTIATE_TYPED_TEST_SUITE_P(VolatileAndHalfCold, StoreContract, VolatileAndHalfCold);
INSTANTIATE_TYPED_TEST_SUITE_P(VolatileAndHalfCold, StoreRepeats, VolatileAndHalfCold);
INSTANTIATE_TYPED_TEST_SUITE_P(VolatileAndHalfCold, StoreRoom, VolatileAndHalfCold);

template <class Provider>
class EmbeddedReopened : public StoreFixture<Provider> {
 protected:
  void reopen() {
    this->store_.reset();
    this->open();
  }
};
using Durabilities = testing::Types<Synced, UnsyncedAndCold, VolatileAndHalfCold>;
TYPED_TEST_SUITE(EmbeddedReopened, Durabilities);

TYPED_TEST(EmbeddedReopened, HasEverythingThatWasThereWhenItClosed) {
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE(this->put("k" + std::to_string(100 + i), live(1, this->in(1000), std::to_string(i), "ann")));
  ASSERT_TRUE(this->put("k100", live(2, this->in(1000), "two", "bob")));
  ASSERT_TRUE(this->erase("k101", 1));
  this->touch_only("k102", this->in(2000));
  this->reopen();
  EXPECT_EQ(this->store_->stats().records, 49u);
  EXPECT_EQ(this->loaded("k100"), live(2, this->in(1000), "two", "bob"));
  EXPECT_EQ(this->loaded("k101"), std::nullopt);
  EXPECT_EQ(this->loaded("k102"), live(1, this->in(2000), "2", "ann"));
  EXPECT_EQ(this->keys({.principal = "ann"}).size(), 48u);
  EXPECT_EQ(this->keys({.principal = "bob"}), Keys{"k100"});
  EXPECT_CODE(this->put("k100", live(2, this->in(1000))), Code::conflict);
  this->clock_.advance(1000ms);
  EXPECT_EQ(this->sweep(1000), 48u);
  this->reopen();
  EXPECT_EQ(this->store_->stats().records, 1u);
  EXPECT_EQ(this->keys({}), Keys{"k102"});
}

TYPED_TEST(EmbeddedReopened, KnowsWhichRecordsAreEnded) {
  ASSERT_TRUE(this->put("created", in_state(State::ended, 1, this->in(5000))));
  for (const char* key : {"turned", "moved by the sweep", "lives", "anew"})
    ASSERT_TRUE(this->put(key, live(1, this->in(1000))));
  ASSERT_TRUE(this->put("turned", in_state(State::ended, 2, this->in(1000))));
  ASSERT_TRUE(this->put("moved by the sweep", in_state(State::ended, 2, this->in(5000))));
  this->reopen();
  EXPECT_EQ(this->store_->stats().records, 5u);
  EXPECT_EQ(this->store_->stats().ended, 3u);
  this->clock_.advance(1000ms);
  ASSERT_TRUE(this->put("turned", live(1, this->in(4000))));
  EXPECT_EQ(this->sweep(10), 2u);
  EXPECT_EQ(this->store_->stats().ended, 2u);
  this->reopen();
  EXPECT_EQ(this->store_->stats().records, 3u);
  EXPECT_EQ(this->store_->stats().ended, 2u);
}

class EmbeddedStoreTest : public StoreFixture<UnsyncedAndCold> {
 protected:
  /// Whether a load completes without suspending; waits for it in either case.
  bool loads_at_once(const std::string& key) {
    struct Probe {
      static io::Task<bool> run(io::Loop& l, StateStore& store, std::string key) {
        bool done = false;
        io::TaskGroup group;
        group.spawn(load(l, store, std::move(key), done));
        const bool at_once = done;
        co_await group.drained();
        co_return at_once;
      }
      static io::Task<void> load(io::Loop& l, StateStore& store, std::string key, bool& done) {
        done = (co_await store.load(l, std::move(key))).has_value();
      }
    };
    return loop_.run([this, key](io::Loop& loop) { return Probe::run(loop, *store_, key); });
  }
};

TEST_F(EmbeddedStoreTest, AHotLoadDoesNotSuspend) {
  store_ = open_at(provider_.directory.path() + "/hot", Durability::os, clock_);
  ASSERT_TRUE(put("a", live(1, in(1000), "hot")));
  EXPECT_TRUE(loads_at_once("a"));
}

TEST_F(EmbeddedStoreTest, ASecondLoadOfWhatIsNotThereDoesNotSuspend) {
  store_ = open_at(provider_.directory.path() + "/absent", Durability::os, clock_);
  EXPECT_FALSE(loads_at_once("a"));
  EXPECT_TRUE(loads_at_once("a"));
  EXPECT_EQ(loaded("a"), std::nullopt);
  ASSERT_TRUE(put("a", live(1, in(1000), "here")));
  EXPECT_EQ(loaded("a"), live(1, in(1000), "here"));
  ASSERT_TRUE(erase("a", 1));
  EXPECT_FALSE(loads_at_once("a"));
  EXPECT_TRUE(loads_at_once("a"));
  EXPECT_EQ(loaded("a"), std::nullopt);
}

TEST_F(EmbeddedStoreTest, ASecondGatewayIsToldSo) {
  const std::string path = provider_.directory.path() + "/state";
  const auto second = EmbeddedStore::open({.path = path}, clock_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().context,
            "another gateway uses " + path + ": stop it, or give this one its own store.path");
}

TEST_F(EmbeddedStoreTest, APathThatCannotBeADirectoryIsNamed) {
  const std::string file = provider_.directory.path() + "/file";
  std::ofstream(file) << "here";
  for (const std::string& path : {file, file + "/state"}) {
    const auto opened = EmbeddedStore::open({.path = path}, clock_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().context, "cannot create the store's directory " + path + ": Not a directory");
  }
}

TEST_F(EmbeddedStoreTest, ItsDirectoryIsItsOwnersAlone) {
  const auto permissions = std::filesystem::status(provider_.directory.path() + "/state").permissions();
  EXPECT_EQ(permissions, std::filesystem::perms::owner_all);
}

TEST_F(EmbeddedStoreTest, EntriesThatDoNotSayWhetherTheirRecordIsEndedAreLookedUp) {
  ASSERT_TRUE(put("a", live(1, in(1000))));
  ASSERT_TRUE(put("b", in_state(State::ended, 1, in(1000))));
  ASSERT_TRUE(put("c", in_state(State::ended, 1, in(1000))));
  store_.reset();
  {
    std::vector<rocksdb::ColumnFamilyHandle*> families;
    rocksdb::DB* db = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(database_options(Durability::os, nullptr),
                                  provider_.directory.path() + "/state", column_families(), &families, &db)
                    .ok());
    for (const char* key : {"a", "b"})
      EXPECT_TRUE(db->Put(rocksdb::WriteOptions(), families[2], encode_due(in(1000), key), "").ok());
    for (auto* family : families) db->DestroyColumnFamilyHandle(family);
    delete db;
  }
  open();
  EXPECT_EQ(store_->stats().records, 3u);
  EXPECT_EQ(store_->stats().ended, 2u);
}

TEST_F(EmbeddedStoreTest, DamageIsReportedNotRepaired) {
  ASSERT_TRUE(put("a", live(1, in(1000))));
  store_.reset();
  const std::string path = provider_.directory.path() + "/state";
  for (const auto& file : std::filesystem::directory_iterator(path))
    if (file.path().filename().string().starts_with("MANIFEST"))
      std::filesystem::resize_file(file.path(), 10);
  const auto opened = EmbeddedStore::open({.path = path}, clock_);
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error().context.starts_with("the store in " + path + " is damaged, restore a backup"))
      << opened.error().context;
}

}  // namespace
}  // namespace stateway::store
