#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "admin/test_world.h"
#include "store/backup.h"

namespace stateway::admin::test {
namespace {

using testing::HasSubstr;

TEST(AdminStore, AStoreThatHasBackupsOfItsOwnIsNotBackedUp) {
  World world;
  const wire::ClientResponse answer = world.send("POST", "/v1/store/backup");
  EXPECT_EQ(answer.status, 409);
  EXPECT_THAT(answer.body, HasSubstr("urn:stateway:problem:no-backup"));
  EXPECT_THAT(answer.body, HasSubstr("a store of kind memory is not backed up by the gateway"));
  EXPECT_EQ(world.get("/v1/store/backup").status, 405);
}

class OnePage final : public store::Moment {
 public:
  WallMillis taken_at() const override { return 1234; }
  Result<std::vector<store::Entry>> next() override {
    std::vector<store::Entry> out;
    if (!std::exchange(given_, true)) out.push_back(entry());
    return out;
  }
  static store::Entry entry() {
    return {.key = "k", .record = {.revision = 3, .expires_at = 9999, .principal = "p", .value = "v"}};
  }

 private:
  bool given_ = false;
};

TEST(AdminStore, ABackupIsSentWhileItIsRead) {
  World world;
  world.store.next_moment = std::make_unique<OnePage>();
  const wire::ClientResponse whole = world.send("POST", "/v1/store/backup");
  EXPECT_EQ(whole.status, 200);
  store::BackupWriter writer;
  std::string expected = writer.begin(1234);
  expected += writer.records({OnePage::entry()});
  expected += writer.end();
  EXPECT_EQ(whole.body, expected);
  EXPECT_EQ(*whole.field("Content-Type"), "application/octet-stream");
  EXPECT_EQ(*whole.field("Cache-Control"), "no-store");
}

TEST(AdminStore, TheRestMovesOutOfAPreviousStoreOnly) {
  World world;
  EXPECT_THAT(world.get("/v1/status").body, HasSubstr("\"previous\":null"));
  const wire::ClientResponse none = world.send("POST", "/v1/store/copy");
  EXPECT_EQ(none.status, 409);
  EXPECT_THAT(none.body, HasSubstr("urn:stateway:problem:no-previous-store"));

  world.store.previous = {.kind = "embedded", .left = 7, .moved = 5, .refuses = false};
  const wire::ClientResponse begun = world.send("POST", "/v1/store/copy");
  EXPECT_EQ(begun.status, 202);
  EXPECT_EQ(begun.body, "{\"left\":7,\"moved\":5}\n");
  EXPECT_EQ(world.copies, 2);
  EXPECT_THAT(world.get("/v1/status").body,
              HasSubstr(R"("previous":{"kind":"embedded","left":7,"moved":5,"copying":"running"})"));
  const wire::ClientResponse refused = world.send("POST", "/v1/store/backup");
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.body, HasSubstr("7 records are left in the previous store"));
}

}  // namespace
}  // namespace stateway::admin::test
