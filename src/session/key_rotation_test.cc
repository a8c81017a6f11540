// Adding keys: to a set, to a file that others change at the same time, and to a ring in use.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "io/test_loop.h"
#include "session/key_file.h"
#include "session/key_ring.h"
#include "store/temporary_directory.h"

namespace stateway::session {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using What = KeyUse::What;

constexpr std::chrono::hours kLifetime{24};
constexpr WallMillis kPublished = KeySet::kPublished.count();
constexpr WallMillis kLife = std::chrono::milliseconds(kLifetime).count();

class KeyRotation : public testing::Test {
 protected:
  std::string path() const { return directory.path() + "/keys"; }
  void make() { ASSERT_TRUE(read_or_make_key_file(path(), clock, random).has_value()); }
  Result<Rotation> rotate() { return rotate_key_file(path(), clock.now(), kLifetime, random); }
  std::vector<KeyId> ids() const {
    std::vector<KeyId> out;
    for (const SealKey& key : read_key_file(path())->keys()) out.push_back(key.id);
    return out;
  }

  io::EpollLoop loop;  // outlives every ring: its reader answers to it
  store::TemporaryDirectory directory;
  ManualClock clock;
  SystemRandom random;
};

TEST_F(KeyRotation, SaysWhatEachKeyDoesAndUntilWhen) {
  const WallMillis start = clock.now();
  const KeySet one = KeySet::made(start, random);
  EXPECT_EQ(one.use_of(one.keys()[0], start, kLifetime), (KeyUse{What::seals, start, 0}));

  const KeySet two = one.rotated(start + 5000, kLifetime, random)->keys;
  const WallMillis follows = start + 5000 + kPublished;
  const auto of = [&](std::size_t n, WallMillis now) { return two.use_of(two.keys()[n], now, kLifetime); };
  EXPECT_EQ(of(0, follows - 1), (KeyUse{What::seals, start, follows}));
  EXPECT_EQ(of(1, follows - 1), (KeyUse{What::waits, start + 5000, follows}));
  EXPECT_EQ(of(0, follows), (KeyUse{What::opens, follows, follows + kLife}));
  EXPECT_EQ(of(1, follows), (KeyUse{What::seals, follows, 0}));
  EXPECT_EQ(of(0, follows + kLife).what, What::opens);
  EXPECT_EQ(of(0, follows + kLife + 1), (KeyUse{What::retired, follows + kLife, 0}));
}

TEST_F(KeyRotation, DropsWhatIsRetiredAndNothingElse) {
  const KeySet one = KeySet::made(clock.now(), random);
  const auto two = one.rotated(clock.now(), kLifetime, random);
  ASSERT_TRUE(two.has_value());
  EXPECT_THAT(two->dropped, IsEmpty());
  EXPECT_EQ(two->keys.keys()[0], one.keys()[0]);
  EXPECT_EQ(two->keys.keys()[1].id, two->added);

  const WallMillis last = clock.now() + kPublished + kLife;
  EXPECT_THAT(two->keys.rotated(last, kLifetime, random)->dropped, IsEmpty());
  const auto three = two->keys.rotated(last + 1, kLifetime, random);
  EXPECT_THAT(three->dropped, ElementsAre(one.keys()[0].id));
  EXPECT_EQ(three->keys.keys().size(), 2u);
}

TEST_F(KeyRotation, TheSetIsBounded) {
  KeySet keys = KeySet::made(clock.now(), random);
  for (std::size_t n = 1; n < KeySet::kKeysMax; ++n)
    keys = keys.rotated(clock.now(), kLifetime, random)->keys;
  EXPECT_EQ(keys.keys().size(), KeySet::kKeysMax);
  const auto refused = keys.rotated(clock.now(), kLifetime, random);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().context, HasSubstr("wait until the oldest is retired"));
  EXPECT_TRUE(keys.rotated(clock.now() + kPublished + kLife + 1, kLifetime, random).has_value());
}

TEST_F(KeyRotation, TheFileKeepsItsModeAndNoDraftIsLeft) {
  for (const mode_t mode : {0600u, 0640u, 0400u}) {
    std::filesystem::remove(path());
    make();
    chmod(path().c_str(), mode);
    const auto rotation = rotate();
    ASSERT_TRUE(rotation.has_value()) << rotation.error().context;
    EXPECT_EQ(*read_key_file(path()), rotation->keys);
    struct stat about{};
    ASSERT_EQ(stat(path().c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777, mode);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), 1);
  }
}

TEST_F(KeyRotation, ALinkToTheFileStaysALink) {
  make();
  const std::string link = directory.path() + "/link";
  std::filesystem::create_symlink(path(), link);
  ASSERT_TRUE(rotate_key_file(link, clock.now(), kLifetime, random).has_value());
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(ids().size(), 2u);
}

TEST_F(KeyRotation, WhatIsRefusedToReadIsNotChanged) {
  EXPECT_EQ(rotate().error().code, Code::not_found) << "rotating makes no file";
  make();
  chmod(path().c_str(), 0644);
  const auto refused = rotate();
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().context, HasSubstr("run chmod 600"));
  chmod(path().c_str(), 0600);
  EXPECT_EQ(ids().size(), 1u);
  std::ofstream(path()) << "stateway-keys 1\nnonsense\n";
  EXPECT_THAT(rotate().error().context, HasSubstr("is damaged (line 2"));
}

TEST_F(KeyRotation, WhoRotatesAtTheSameTimeLosesNoKey) {
  make();
  constexpr int kThreads = 8, kEach = 10;
  std::vector<std::vector<KeyId>> added(kThreads);
  std::vector<std::thread> threads;
  for (auto& mine : added)
    threads.emplace_back([&] {
      SystemRandom own;
      for (int n = 0; n < kEach; ++n) {
        const auto rotation = rotate_key_file(path(), clock.now(), kLifetime, own);
        if (rotation) mine.push_back(rotation->added);
      }
    });
  for (std::thread& t : threads) t.join();
  std::set<KeyId> expected;
  for (const auto& mine : added) expected.insert(mine.begin(), mine.end());
  EXPECT_EQ(expected.size(), static_cast<std::size_t>(kThreads * kEach));
  expected.insert(ids().front());
  const std::vector<KeyId> found = ids();
  EXPECT_EQ(std::set<KeyId>(found.begin(), found.end()), expected);
}

TEST_F(KeyRotation, ALockThatIsNotGivenBackIsAnErrorAndNoHang) {
  make();
  const int fd = ::open(path().c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(flock(fd, LOCK_EX), 0);
  const auto refused = rotate();
  close(fd);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_EQ(ids().size(), 1u);
  EXPECT_TRUE(rotate().has_value());
}

io::Task<void> rotate_into(io::Loop& loop, KeyRing& ring, std::optional<Result<Rotation>>& out) {
  out = co_await ring.rotate(loop, kLifetime);
}
io::Task<void> open_into(io::Loop& loop, KeyRing& ring, std::string text, std::string& out) {
  const auto opened = co_await ring.open(loop, "shop", text, kLifetime);
  out = opened && *opened ? **opened : "-";
}

TEST_F(KeyRotation, ARingInUseSealsWithTheNewKeyAMinuteLaterAndOpensTheOldUntilItsSessionsAreOver) {
  KeyRing ring(clock, random);
  std::optional<Result<Rotation>> rotation;
  io::run_until_done(loop, rotate_into(loop, ring, rotation));
  EXPECT_EQ(rotation->error().code, Code::not_found) << "no file is in use";

  ASSERT_TRUE(ring.use(path()).has_value());
  const KeyId first = ring.keys()->keys().front().id;
  const std::string before = ring.seal("shop", "old");
  io::run_until_done(loop, rotate_into(loop, ring, rotation));
  ASSERT_TRUE(rotation->has_value());
  const KeyId second = (*rotation)->added;
  EXPECT_THAT(ids(), ElementsAre(first, second));

  clock.advance(KeySet::kPublished - std::chrono::milliseconds(1));
  EXPECT_EQ(sealing_key_id(ring.seal("shop", "x")), first);
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(sealing_key_id(ring.seal("shop", "x")), second);

  std::string opened;
  clock.advance(kLifetime);
  io::run_until_done(loop, open_into(loop, ring, before, opened));
  EXPECT_EQ(opened, "old");
  clock.advance(std::chrono::milliseconds(1));
  io::run_until_done(loop, open_into(loop, ring, before, opened));
  EXPECT_EQ(opened, "-");
  io::run_until_done(loop, rotate_into(loop, ring, rotation));
  EXPECT_THAT((*rotation)->dropped, ElementsAre(first));
}

}  // namespace
}  // namespace stateway::session
