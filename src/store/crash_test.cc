// A process that is killed while it commits: what it had acknowledged is there when the store is opened again
// (durability sync and os), and every batch is there whole or not at all. The process is this very binary,
// started with --commit-until-killed DIRECTORY DURABILITY; it writes the number of each acknowledged commit
// to its standard output.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <vector>

#include "store/contract_test.h"
#include "store/embedded.h"
#include "store/temporary_directory.h"

namespace stateway::store {
namespace {

constexpr int kWriters = 16;
constexpr std::uint32_t kAcknowledgedBeforeTheKill = 400;
constexpr WallMillis kFarAway = 4'000'000'000'000;

// One tag: a batch holds a record and a count.
std::string key_of(std::uint32_t number) { return "one of them k" + std::to_string(number); }
std::string value_of(std::uint32_t number) {
  return std::string(number % 2000, 'v') + std::to_string(number);
}

/// Commits the numbers first, first + kWriters, … for ever: a record each, and in the same batch a count.
io::Task<int> commit_for_ever(io::Loop& loop, StateStore& store, std::uint32_t first) {
  const std::string counter = "one of them count" + std::to_string(first);
  Revision revision = 0;
  for (std::uint32_t number = first;; number += kWriters) {
    Batch batch;
    batch.writes.push_back(
        {.key = key_of(number), .expected = 0, .record = live(1, kFarAway, value_of(number), "ann")});
    batch.writes.push_back({.key = counter, .expected = revision, .record = live(revision + 1, kFarAway)});
    const auto committed = co_await store.commit(loop, std::move(batch));
    if (!committed) co_return 1;
    ++revision;
    if (write(STDOUT_FILENO, &number, sizeof number) != sizeof number) co_return 1;
  }
}

Durability named(std::string_view durability) {
  if (durability == "sync") return Durability::sync;
  return durability == "os" ? Durability::os : Durability::memory;
}

int commit_until_killed(const char* directory, const char* durability) {
  SystemClock clock;
  LoopThread loop;
  auto store = EmbeddedStore::open({.path = directory, .durability = named(durability)}, clock);
  if (!store) return 2;
  std::vector<std::future<int>> writers;
  for (std::uint32_t i = 0; i < kWriters; ++i)
    writers.push_back(loop.start([&, i](io::Loop& l) { return commit_for_ever(l, **store, i); }));
  return writers.front().get();
}

/// Starts the process, reads what it acknowledges, kills it, and reads on to the end of what it had written.
std::vector<std::uint32_t> acknowledged_by_a_killed_process(const std::string& directory,
                                                            const char* durability) {
  std::array<int, 2> pipe_ends{};
  CHECK(pipe2(pipe_ends.data(), O_CLOEXEC) == 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  std::string name = "/proc/self/exe", flag = "--commit-until-killed", path = directory, how = durability;
  const std::array<char*, 5> arguments{name.data(), flag.data(), path.data(), how.data(), nullptr};
  pid_t child = 0;
  CHECK(posix_spawn(&child, name.c_str(), &actions, nullptr, arguments.data(), environ) == 0);
  posix_spawn_file_actions_destroy(&actions);
  close(pipe_ends[1]);

  std::vector<std::uint32_t> acknowledged;
  std::uint32_t number = 0;
  bool killed = false;
  while (read(pipe_ends[0], &number, sizeof number) == sizeof number) {
    acknowledged.push_back(number);
    if (acknowledged.size() < kAcknowledgedBeforeTheKill || killed) continue;
    kill(child, SIGKILL);
    killed = true;
  }
  close(pipe_ends[0]);
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  return acknowledged;
}

class KilledProcess : public testing::TestWithParam<const char*> {};

TEST_P(KilledProcess, LosesNothingItPromisedAndLeavesNothingHalf) {
  const TemporaryDirectory directory;
  SystemClock clock;
  for (int kills = 0; kills < 3; ++kills) {
    const std::string round = directory.path() + "/state" + std::to_string(kills);
    const auto acknowledged = acknowledged_by_a_killed_process(round, GetParam());
    ASSERT_GE(acknowledged.size(), kAcknowledgedBeforeTheKill);

    LoopThread loop;
    auto opened = EmbeddedStore::open({.path = round}, clock);
    ASSERT_TRUE(opened) << opened.error().context;
    StateStore& store = **opened;
    const bool promised = named(GetParam()) != Durability::memory;
    for (const std::uint32_t number : promised ? acknowledged : std::vector<std::uint32_t>()) {
      const auto found = loop.run([&](io::Loop& l) { return store.load(l, key_of(number)); });
      ASSERT_TRUE(found && *found) << number;
      EXPECT_EQ((*found)->value, value_of(number));
    }
    // Whole batches only: each writer's count is the number of its records, indexes and the total agree.
    const auto listed = loop.run([&](io::Loop& l) { return store.list(l, {.limit = 1'000'000}); });
    const auto of_ann =
        loop.run([&](io::Loop& l) { return store.list(l, {.principal = "ann", .limit = 1'000'000}); });
    ASSERT_TRUE(listed && of_ann);
    std::uint64_t records = 0;
    std::uint64_t counted = 0;
    for (const Entry& entry : *listed) {
      const char kind = entry.key[key_of(0).size() - 2];
      records += kind == 'k' ? 1 : 0;
      counted += kind == 'c' ? entry.record.revision : 0;
    }
    EXPECT_EQ(records, counted);
    EXPECT_EQ(records, of_ann->size());
    if (promised) EXPECT_GE(records, acknowledged.size());
    EXPECT_EQ(store.stats().records, listed->size());
  }
}

INSTANTIATE_TEST_SUITE_P(Durability, KilledProcess, testing::Values("sync", "os", "memory"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace stateway::store

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "--commit-until-killed") == 0)
    return stateway::store::commit_until_killed(argv[2], argv[3]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
