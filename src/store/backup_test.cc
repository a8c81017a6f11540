#include "store/backup.h"

#include <fstream>
#include <iterator>

#include "store/embedded.h"
#include "store/memory.h"
#include "store/store_fixture.h"
#include "store/temporary_directory.h"

namespace stateway::store {
namespace {

struct Embedded {
  std::unique_ptr<StateStore> make(const WallClock& clock, std::uint64_t records_max) {
    return std::move(*EmbeddedStore::open(options(records_max), clock));
  }
  StoreOptions options(std::uint64_t records_max = 100'000) const {
    StoreOptions out;
    out.path = path;
    out.sessions_max = records_max;
    out.durability = Durability::os;
    return out;
  }
  TemporaryDirectory directory;
  std::string path = directory.path() + "/state";
};

class BackupTest : public StoreFixture<Embedded> {
 protected:
  std::string file(const char* name) const { return provider_.directory.path() + "/" + name; }

  static void write(const std::string& path, std::string_view octets) {
    std::ofstream(path, std::ios::binary) << octets;
  }
  static std::string octets_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static std::string backup_of(Moment& moment) {
    BackupWriter writer;
    std::string out = writer.begin(moment.taken_at());
    for (;;) {
      const auto page = moment.next();
      CHECK(page.has_value());
      if (page->empty()) break;
      out += writer.records(*page);
    }
    return out + writer.end();
  }
  std::vector<Entry> all() {
    Query query{.limit = 100'000};
    return loop_.run([&](io::Loop& loop) { return store_->list(loop, query); }).value();
  }
  Result<BackupSummary> restore(const std::string& path) {
    provider_.path = provider_.directory.path() + "/restored";
    return restore_backup(path, provider_.options());
  }
};

TEST_F(BackupTest, HoldsWhatThereWasAtOneMoment) {
  constexpr int kRecords = 3000;
  store_->set_sessions_max(100'000);
  for (int i = 0; i < kRecords; ++i) {
    Record record =
        live(1, in(10'000), std::string(static_cast<std::size_t>(i % 900), 'x'), i % 3 ? "" : "ann");
    if (i % 5 == 0) record.state = State::ended;
    ASSERT_TRUE(put(std::to_string(i) + std::string(1, '\0'), record));
  }
  Batch remembered = one_write("with its commits", 0, live(4, in(10'000), "v"));
  remembered.id = {.gateway = 9, .sequence = 3};
  ASSERT_TRUE(commit(remembered));
  ASSERT_TRUE(put("expired", live(1, in(100))));
  clock_.advance(100ms);

  const std::vector<Entry> before = all();
  const auto moment = store_->moment();
  ASSERT_NE(moment, nullptr);
  EXPECT_EQ(moment->taken_at(), clock_.now());
  for (int i = 0; i < kRecords; i += 2) ASSERT_TRUE(erase(std::to_string(i) + std::string(1, '\0'), 1));
  ASSERT_TRUE(put("later", live(1, in(10'000))));
  const std::string backup = backup_of(*moment);
  write(file("backup"), backup);

  store_.reset();
  const auto restored = restore(file("backup"));
  ASSERT_TRUE(restored) << restored.error().context;
  EXPECT_EQ(restored->records, kRecords + 1u);
  EXPECT_EQ(restored->taken_at, clock_.now());
  open(100'000);
  const std::vector<Entry> after = all();
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(after[i].key, before[i].key);
    EXPECT_EQ(after[i].record, before[i].record);
  }
  EXPECT_EQ(store_->stats().records, kRecords + 1u);
  EXPECT_EQ(store_->stats().ended, kRecords / 5u);
  EXPECT_EQ(keys({.principal = "ann", .limit = 10'000}).size(), kRecords / 3u);
  EXPECT_TRUE(put("1" + std::string(1, '\0'), live(2, in(1000)))) << "and it goes on from there";
}

TEST_F(BackupTest, AMomentMayOutliveItsStore) {
  ASSERT_TRUE(put("a", live(1, in(1000))));
  const auto moment = store_->moment();
  store_.reset();
  EXPECT_EQ(moment->next().value().size(), 1u);
  EXPECT_TRUE(moment->next().value().empty());
}

TEST_F(BackupTest, AnEmptyStoreHasABackupToo) {
  write(file("backup"), backup_of(*store_->moment()));
  store_.reset();
  EXPECT_EQ(restore(file("backup")).value().records, 0u);
  open();
  EXPECT_EQ(keys({}), Keys{});
}

TEST_F(BackupTest, EveryDamageIsFound) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(put(std::to_string(i), live(1, in(1000), "value")));
  const std::string whole = backup_of(*store_->moment());
  store_.reset();
  const auto refused = [&](const std::string& octets) {
    write(file("damaged"), octets);
    const auto restored = restore(file("damaged"));
    ASSERT_FALSE(restored);
    EXPECT_EQ(restored.error().code, Code::io);
    EXPECT_FALSE(std::filesystem::exists(provider_.path));
    EXPECT_FALSE(std::filesystem::exists(provider_.path + ".restoring"));
  };
  for (std::size_t i = 0; i < whole.size(); ++i) {
    SCOPED_TRACE(i);
    refused(whole.substr(0, i));
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    refused(changed);
  }
  refused(whole + "x");
  refused("");
  EXPECT_FALSE(restore(file("not there")));
  write(file("newer"), "stateway-backup 2\n");
  EXPECT_EQ(restore(file("newer")).error().context,
            file("newer") + " was written by a newer version of Stateway");
}

TEST_F(BackupTest, ATargetMustBeFree) {
  const std::string backup = file("backup");
  write(backup, backup_of(*store_->moment()));
  store_.reset();
  StoreOptions options = provider_.options();
  EXPECT_EQ(restore_backup(backup, options).error().context,
            options.path + " is not empty: move what is there away first, or set another store.path");
  options.path = backup;
  EXPECT_EQ(restore_backup(backup, options).error().context, backup + " is no directory");
  options.path = file("empty/");
  std::filesystem::create_directory(options.path);
  EXPECT_TRUE(restore_backup(backup, options));
  EXPECT_FALSE(restore_backup(backup, options));
}

TEST_F(BackupTest, OtherKindsHaveNone) { EXPECT_EQ(MemoryStore(clock_, 1).moment(), nullptr); }

}  // namespace
}  // namespace stateway::store
