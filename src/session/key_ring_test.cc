#include "session/key_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/bytes.h"
#include "io/test_loop.h"
#include "session/key_file.h"
#include "store/temporary_directory.h"

namespace stateway::session {
namespace {

using testing::HasSubstr;

constexpr std::chrono::hours kLifetime{24};

class Keys : public testing::Test {
 protected:
  std::string path() const { return directory.path() + "/keys"; }
  void write(std::string_view text, mode_t mode = 0600) {
    std::ofstream(path()) << text;
    chmod(path().c_str(), mode);
  }
  // What a gateway does that rotates: its keys and a new one, in place of the file.
  KeySet add_key() {
    const KeySet added = KeySet::made(clock.now(), random);
    const std::string line = added.text().substr(added.text().find('\n') + 1);
    const std::string text = read_key_file(path())->text() + line;
    write(text);
    return *KeySet::parse(text);
  }
  std::unique_ptr<KeyRing> open_ring() {
    auto ring = std::make_unique<KeyRing>(clock, random);
    EXPECT_FALSE(ring->in_use());
    EXPECT_TRUE(ring->use(path()).has_value());
    EXPECT_TRUE(ring->in_use());
    return ring;
  }
  std::optional<std::string> open(KeyRing& ring, const std::string& text, Code* error = nullptr) {
    std::optional<std::string> out;
    run_until_done(loop, open_into(loop, ring, text, out, error));
    return out;
  }
  static io::Task<void> open_into(io::Loop& loop, KeyRing& ring, std::string text,
                                  std::optional<std::string>& out, Code* error) {
    auto opened = co_await ring.open(loop, "shop", text, kLifetime);
    if (opened) out = std::move(*opened);
    if (error != nullptr) *error = opened ? Code::incomplete : opened.error().code;
  }
  static io::Task<void> refresh(io::Loop& loop, KeyRing& ring) {
    const auto refreshed = co_await ring.refresh(loop);
    EXPECT_TRUE(refreshed.has_value());
  }

  io::EpollLoop loop;  // outlives every ring: its reader answers to it
  store::TemporaryDirectory directory;
  ManualClock clock;
  SystemRandom random;
};

TEST_F(Keys, TheFileIsMadeForItsOwnerAlone) {
  const std::string nested = directory.path() + "/a/b/keys";
  const auto made = read_or_make_key_file(nested, clock, random);
  ASSERT_TRUE(made.has_value()) << made.error().context;
  struct stat about{};
  ASSERT_EQ(stat(nested.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  ASSERT_EQ(stat((directory.path() + "/a/b").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0700u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path() + "/a/b"), {}), 1)
      << "no draft is left";
  EXPECT_EQ(*read_or_make_key_file(nested, clock, random), *made) << "and never made anew";
}

TEST_F(Keys, GatewaysThatStartAtOnceGetTheSameKeys) {
  for (int round = 0; round < 20; ++round) {
    std::filesystem::remove(path());
    std::vector<std::optional<Result<KeySet>>> got(8);
    std::vector<std::thread> starts;
    for (auto& mine : got)
      starts.emplace_back([&] {
        SystemRandom own;
        mine = read_or_make_key_file(path(), clock, own);
      });
    for (std::thread& t : starts) t.join();
    for (const auto& mine : got) {
      ASSERT_TRUE(mine->has_value()) << mine->error().context;
      EXPECT_EQ(**mine, **got.front());
    }
  }
}

TEST_F(Keys, AFileThatOthersMayReadOrWriteIsRefused) {
  SystemRandom system;
  const std::string text = KeySet::made(clock.now(), system).text();
  for (const mode_t good : {0600u, 0400u, 0640u}) {
    write(text, good);
    EXPECT_TRUE(read_key_file(path()).has_value()) << std::oct << good;
  }
  for (const mode_t bad : {0644u, 0604u, 0660u, 0602u, 0666u}) {
    write(text, bad);
    const auto read = read_or_make_key_file(path(), clock, random);
    ASSERT_FALSE(read.has_value()) << std::oct << bad;
    EXPECT_THAT(read.error().context, HasSubstr("run chmod 600 " + path()));
  }
}

TEST_F(Keys, ABrokenFileIsAClearErrorAndStaysAsItIs) {
  write("stateway-keys 1\n00000001 5 abc\n");
  const auto read = read_or_make_key_file(path(), clock, random);
  ASSERT_FALSE(read.has_value());
  EXPECT_THAT(read.error().context, HasSubstr("the key file " + path() + " is damaged (line 2: "));
  EXPECT_THAT(read.error().context, testing::Not(HasSubstr("abc")));
  write(std::string(200'000, 'x'));
  EXPECT_THAT(read_key_file(path()).error().context, HasSubstr("too long"));
  EXPECT_EQ(std::filesystem::file_size(path()), 200'000u);
}

TEST_F(Keys, WhatIsNoFileIsRefused) {
  std::filesystem::create_directory(path());
  EXPECT_THAT(read_or_make_key_file(path(), clock, random).error().context, HasSubstr("is not a file"));
  std::filesystem::remove(path());
  ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
  EXPECT_THAT(read_or_make_key_file(path(), clock, random).error().context, HasSubstr("is not a file"));
  EXPECT_EQ(read_key_file(path() + "x").error().code, Code::not_found);
  EXPECT_THAT(read_or_make_key_file(path() + "/keys", clock, random).error().context,
              HasSubstr("Not a directory"));
}

TEST_F(Keys, TwoGatewaysOpenEachOthersCookies) {
  const auto a = open_ring();
  const auto b = open_ring();
  EXPECT_EQ(open(*b, a->seal("shop", "contents")), "contents");
  EXPECT_EQ(open(*b, a->seal("other", "contents")), std::nullopt);
  EXPECT_EQ(open(*b, "nonsense"), std::nullopt);
}

TEST_F(Keys, AnUnknownKeyMakesTheFileBeReadAgainOnceASecond) {
  const auto ring = open_ring();
  const KeySet rotated = add_key();
  const std::string text = seal(rotated.keys().back(), "shop", "new", random);
  clock.advance(std::chrono::milliseconds(999));
  EXPECT_EQ(open(*ring, text), std::nullopt) << "the file was read at the start, less than a second ago";
  EXPECT_EQ(ring->keys()->keys().size(), 1u);
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(open(*ring, text), "new");
  EXPECT_EQ(*ring->keys(), rotated);
}

TEST_F(Keys, ANewKeySealsAfterAMinute) {
  const auto ring = open_ring();
  const KeyId first = ring->keys()->keys().front().id;
  clock.advance(std::chrono::hours(1));
  const KeyId second = add_key().keys().back().id;
  clock.advance(std::chrono::seconds(59));
  run_until_done(loop, refresh(loop, *ring));
  EXPECT_EQ(sealing_key_id(ring->seal("shop", "x")), first);
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(sealing_key_id(ring->seal("shop", "x")), second);
}

TEST_F(Keys, ARetiredKeyOpensNothing) {
  const auto ring = open_ring();
  const std::string old = ring->seal("shop", "old");
  add_key();
  clock.advance(KeySet::kPublished + kLifetime);
  EXPECT_EQ(open(*ring, "AQ" + std::string(58, 'A')), std::nullopt);
  EXPECT_EQ(ring->keys()->keys().size(), 2u) << "the unknown key had the file read again";
  EXPECT_EQ(open(*ring, old), "old");
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(open(*ring, old), std::nullopt);
}

TEST_F(Keys, WhileTheFileCannotBeReadNobodyIsLoggedOut) {
  const auto ring = open_ring();
  const std::string known = ring->seal("shop", "known");
  const KeySet rotated = add_key();
  const std::string text = seal(rotated.keys().back(), "shop", "new", random);
  const std::string good = rotated.text();
  write("damaged");
  clock.advance(std::chrono::seconds(2));
  Code error{};
  EXPECT_EQ(open(*ring, text, &error), std::nullopt);
  EXPECT_EQ(error, Code::store_unavailable);
  EXPECT_EQ(open(*ring, text, &error), std::nullopt);
  EXPECT_EQ(error, Code::store_unavailable) << "also when it is not read again so soon";
  EXPECT_EQ(open(*ring, known), "known");
  write(good);
  clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(open(*ring, text), "new");
}

TEST_F(Keys, AClockThatWasSetBackDoesNotKeepTheFileFromBeingRead) {
  const auto ring = open_ring();
  clock.set(clock.now() - 3'600'000);
  const KeySet rotated = add_key();
  EXPECT_EQ(open(*ring, seal(rotated.keys().front(), "shop", "new", random)), "new");
}

}  // namespace
}  // namespace stateway::session
