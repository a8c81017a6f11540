#include <sys/stat.h>

#include <fstream>

#include "admin/test_world.h"
#include "session/key_file.h"
#include "store/temporary_directory.h"

namespace stateway::admin {
namespace {

using test::World;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

struct WithKeys : World {
  WithKeys() {
    snapshot.sessions.push_back({.name = "short", .absolute = std::chrono::hours(1)});
    snapshot.sessions.push_back({.name = "long", .absolute = std::chrono::hours(2)});
    EXPECT_TRUE(keys.use(path).has_value());
  }
  session::KeySet in_file() const { return *session::read_key_file(path); }

  store::TemporaryDirectory directory;
  const std::string path = directory.path() + "/keys";
};

TEST(AdminKeys, AreListedWithoutTheirSecrets) {
  WithKeys world;
  const auto response = world.get("/v1/keys");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body,
              MatchesRegex(R"(\{"keys":\[\{"id":"[0-9a-f]{8}","created":"2023-11-14T22:13:20.000Z",)"
                           R"("does":"seals","since":"2023-11-14T22:13:20.000Z","until":null\}\]\})"
                           "\n"));
  EXPECT_THAT(response.body,
              Not(HasSubstr(base64url_encode(as_bytes(world.in_file().keys()[0].key.reveal())))));
}

TEST(AdminKeys, ARotationIsInTheFileAndInUseAtOnce) {
  WithKeys world;
  const auto rotated = world.send("POST", "/v1/keys/rotate");
  EXPECT_EQ(rotated.status, 200);
  ASSERT_EQ(world.in_file().keys().size(), 2u);
  EXPECT_EQ(*world.keys.keys(), world.in_file());
  EXPECT_THAT(rotated.body, MatchesRegex(R"(\{"added":"[0-9a-f]{8}","dropped":\[\],"keys":\[.*\]\})"
                                         "\n"));
  EXPECT_THAT(rotated.body, HasSubstr(R"("does":"seals","since":"2023-11-14T22:13:20.000Z",)"
                                      R"("until":"2023-11-14T22:14:20.000Z"})"));
  EXPECT_THAT(rotated.body, HasSubstr(R"("does":"waits","since":"2023-11-14T22:13:20.000Z",)"
                                      R"("until":"2023-11-14T22:14:20.000Z"})"));

  world.clock.advance(std::chrono::minutes(1));
  EXPECT_THAT(world.get("/v1/keys").body, HasSubstr(R"("does":"opens","since":"2023-11-14T22:14:20.000Z",)"
                                                    R"("until":"2023-11-15T00:14:20.000Z"})"))
      << "the longest absolute of all kinds";
  world.clock.advance(std::chrono::hours(2) + std::chrono::milliseconds(1));
  EXPECT_THAT(world.get("/v1/keys").body, HasSubstr(R"("does":"retired","since":"2023-11-15T00:14:20.000Z",)"
                                                    R"("until":null})"));
  EXPECT_THAT(world.send("POST", "/v1/keys/rotate").body, MatchesRegex(R"(.*"dropped":\["[0-9a-f]{8}"\].*)"
                                                                       "\n"));
  EXPECT_EQ(world.in_file().keys().size(), 2u);
}

TEST(AdminKeys, WhatOthersAddedIsListed) {
  WithKeys world;
  ASSERT_TRUE(session::rotate_key_file(world.path, world.clock.now(), std::chrono::hours(2), world.random));
  world.clock.advance(std::chrono::seconds(1));
  EXPECT_THAT(world.get("/v1/keys").body, HasSubstr(R"("does":"waits")"));
}

TEST(AdminKeys, AFileThatCannotBeChangedIsSaidAndTheKeysStay) {
  WithKeys world;
  chmod(world.path.c_str(), 0644);
  const auto refused = world.send("POST", "/v1/keys/rotate");
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, HasSubstr("urn:stateway:problem:key-file"));
  EXPECT_THAT(refused.body, HasSubstr("run chmod 600"));
  world.clock.advance(std::chrono::seconds(2));
  EXPECT_THAT(world.get("/v1/keys").body, HasSubstr(R"("does":"seals")"));
}

TEST(AdminKeys, WhereNoneAreNeededThereAreNone) {
  World world;
  EXPECT_EQ(world.get("/v1/keys").body, "{\"keys\":[]}\n");
  const auto refused = world.send("POST", "/v1/keys/rotate");
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.body, HasSubstr("urn:stateway:problem:no-keys"));
  EXPECT_EQ(world.get("/v1/keys/rotate").status, 405);
  EXPECT_EQ(world.call({.method = "POST", .target = "/v1/keys/rotate", .host = ""}).status, 415);
}

}  // namespace
}  // namespace stateway::admin
