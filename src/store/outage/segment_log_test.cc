#include "store/outage/segment_log.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>

#include "store/temporary_directory.h"

namespace stateway::store::outage {
namespace {

namespace fs = std::filesystem;

class SegmentLogTest : public testing::Test {
 protected:
  SegmentLog::Options options() const {
    return {.folder = directory_.path(), .name = "x", .bytes_max = bytes_max_, .segment_bytes = 200};
  }
  Result<std::unique_ptr<SegmentLog>> try_open() {
    found_.clear();
    places_.clear();
    return SegmentLog::open(options(), [this](const Place& place, std::string_view entry) -> Result<void> {
      found_.emplace_back(entry);
      places_.push_back(place);
      return {};
    });
  }
  void open() {
    log_.reset();
    auto opened = try_open();
    ASSERT_TRUE(opened) << opened.error().context;
    log_ = std::move(*opened);
  }
  Result<Place> append(std::string entry, bool synced = true) {
    auto places = log_->append(std::span(&entry, 1), synced);
    if (!places) return pass_on(std::move(places));
    return places->front();
  }
  std::vector<fs::path> files() const {
    std::vector<fs::path> out;
    for (const auto& file : fs::directory_iterator(directory_.path())) out.push_back(file.path());
    std::sort(out.begin(), out.end());
    return out;
  }
  using Texts = std::vector<std::string>;

  TemporaryDirectory directory_;
  std::uint64_t bytes_max_ = 1 << 20;
  std::unique_ptr<SegmentLog> log_;
  Texts found_;
  std::vector<Place> places_;
};

TEST_F(SegmentLogTest, WhatWasAppendedIsThereAfterARestart) {
  open();
  EXPECT_TRUE(found_.empty());
  EXPECT_TRUE(files().empty());
  const Texts entries{"one", "", std::string("bin\0ary", 7)};
  const auto places = log_->append(entries, true);
  ASSERT_TRUE(places);
  ASSERT_TRUE(append("four", false));
  EXPECT_EQ(log_->read((*places)[2]).value(), entries[2]);
  open();
  EXPECT_EQ(found_, (Texts{"one", "", entries[2], "four"}));
  EXPECT_EQ(log_->read(places_[3]).value(), "four");
  ASSERT_TRUE(append("five"));
  open();
  EXPECT_EQ(found_.size(), 5u);
  EXPECT_EQ(found_.back(), "five");
}

TEST_F(SegmentLogTest, FilesOfWhichNothingIsNeededAreDeletedTheOldestFirst) {
  open();
  const auto first = append(std::string(150, 'a'));
  const auto second = append(std::string(150, 'b'));
  const auto third = append(std::string(150, 'c'));
  ASSERT_TRUE(first && second && third);
  EXPECT_EQ(files().size(), 3u);
  for (const auto& place : {*first, *second, *third}) log_->need(place);
  log_->need(*first);
  log_->release(*first);
  log_->release(*second);
  log_->drop_unneeded();
  EXPECT_EQ(files().size(), 3u);
  log_->release(*first);
  log_->drop_unneeded();
  EXPECT_EQ(files().size(), 1u);
  EXPECT_EQ(log_->first(), third->segment);
  EXPECT_FALSE(log_->read(*first));
  EXPECT_EQ(log_->read(*third).value(), std::string(150, 'c'));
  EXPECT_TRUE(log_->drop_oldest());
  EXPECT_FALSE(log_->drop_oldest());
  EXPECT_TRUE(files().empty());
  EXPECT_EQ(log_->bytes(), 0u);
  ASSERT_TRUE(append("again"));
  EXPECT_EQ(files().size(), 1u);
}

TEST_F(SegmentLogTest, WhateverACrashLeftOfTheEndIsCut) {
  open();
  ASSERT_TRUE(append("one"));
  ASSERT_TRUE(append("two"));
  log_.reset();
  const fs::path file = files().at(0);
  std::ifstream in(file, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  const auto found_in = [&](const std::string& content) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
    open();
    return found_;
  };
  const std::size_t entry = 3 + 12;  // with its frame
  for (std::size_t cut = 1; cut < entry; ++cut)
    EXPECT_EQ(found_in(whole.substr(0, whole.size() - cut)), Texts{"one"}) << cut;
  for (std::size_t at = whole.size() - entry; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    EXPECT_EQ(found_in(damaged), Texts{"one"}) << at;
  }
  EXPECT_EQ(found_in(whole + std::string(100, '\0')), (Texts{"one", "two"}));
  EXPECT_EQ(found_in("state"), Texts{});
  EXPECT_EQ(found_in(""), Texts{});
  // It goes on in another file.
  ASSERT_EQ(found_in(whole.substr(0, whole.size() - 1)), Texts{"one"});
  ASSERT_TRUE(append("three"));
  open();
  EXPECT_EQ(found_, (Texts{"one", "three"}));
  EXPECT_EQ(files().size(), 2u);
}

TEST_F(SegmentLogTest, AFileOfAnotherVersionIsRefused) {
  std::ofstream(directory_.path() + "/x-0000000000000001.journal") << "stateway journal 2\nwhatever";
  const auto opened = try_open();
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error().context.contains("is no journal of this version")) << opened.error().context;
}

TEST_F(SegmentLogTest, WhatVisitRefusesIsRefused) {
  open();
  ASSERT_TRUE(append("one"));
  const auto opened = SegmentLog::open(options(), [](const Place&, std::string_view) -> Result<void> {
    return fail(Code::io, Side::self, "too new");
  });
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error().context.ends_with(".journal: too new"));
}

TEST_F(SegmentLogTest, BeyondItsRoomNothingIsTaken) {
  bytes_max_ = 400;
  open();
  ASSERT_TRUE(append(std::string(150, 'a')));
  ASSERT_TRUE(append(std::string(150, 'b')));
  const auto refused = append(std::string(150, 'c'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::store_unavailable);
  EXPECT_TRUE(refused.error().context.ends_with("is full"));
  log_->drop_unneeded();
  EXPECT_TRUE(append(std::string(150, 'c')));
}

// The file may not grow beyond so many octets, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(SegmentLogTest, AFullDiskIsAnErrorAndDamagesNothing) {
  open();
  ASSERT_TRUE(append("one"));
  {
    const FileSizeLimit full(60);
    for (int i = 0; i < 2; ++i) {
      const auto refused = append(std::string(100, 'x'));
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code, Code::store_unavailable);
      EXPECT_TRUE(refused.error().context.starts_with("cannot write")) << refused.error().context;
    }
  }
  ASSERT_TRUE(append("two"));
  open();
  EXPECT_EQ(found_, (Texts{"one", "two"}));
}

TEST_F(SegmentLogTest, AFolderThatIsGoneIsAnErrorUntilItIsBack) {
  open();
  fs::rename(directory_.path(), directory_.path() + "-away");
  const auto refused = append("one");
  fs::rename(directory_.path() + "-away", directory_.path());
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().context.starts_with("cannot create")) << refused.error().context;
  EXPECT_TRUE(append("one"));
}

}  // namespace
}  // namespace stateway::store::outage
