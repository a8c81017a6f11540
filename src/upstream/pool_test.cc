#include "upstream/pool.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>

#include "io/fd_stream.h"
#include "io/test_loop.h"

namespace stateway::upstream {
namespace {

constexpr std::uint64_t kGeneration = 4;

/// Connections to an instance that the test plays itself, by descriptor.
class PoolTest : public testing::Test {
 protected:
  ~PoolTest() override {
    for (const int fd : peers_) close(fd);
  }
  std::unique_ptr<Connection> open(std::uint64_t generation = kGeneration) {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    peers_.push_back(ends[1]);
    auto stream = std::make_unique<io::FdStream>(loop_, ends[0], io::FdStream::Kind::unix_socket);
    return std::make_unique<Connection>(std::move(stream), http::HeadLimits{}, generation);
  }
  void close_peer(std::size_t i) { close(std::exchange(peers_[i], -1)); }

  /// Runs the loop until `condition`; false after ten seconds.
  bool eventually(const std::function<bool()>& condition) {
    struct Body {
      static io::Task<void> run(io::Loop& loop, const std::function<bool()>& holds, bool& seen) {
        const TimePoint limit = loop.now() + 10s;
        while (!(seen = holds()) && loop.now() < limit) co_await io::sleep_for(loop, 1ms);
      }
    };
    bool seen = false;
    io::run_until_done(loop_, Body::run(loop_, condition, seen));
    return seen;
  }

  io::EpollLoop loop_;
  std::vector<int> peers_;
};

TEST_F(PoolTest, LastInFirstOutAndMarkedAsReused) {
  Pool pool(loop_, 60s, 8);
  auto a = open();
  auto b = open();
  Connection* const first = a.get();
  Connection* const second = b.get();
  EXPECT_FALSE(first->reused());
  pool.put(std::move(a), kGeneration);
  pool.put(std::move(b), kGeneration);
  auto taken = pool.take(kGeneration);
  EXPECT_EQ(taken.get(), second);
  EXPECT_TRUE(taken->reused());
  EXPECT_EQ(pool.take(kGeneration).get(), first);
  EXPECT_EQ(pool.take(kGeneration), nullptr);
}

TEST_F(PoolTest, OneThatTheInstanceClosesLeavesAtOnce) {
  Pool pool(loop_, 60s, 8);
  pool.put(open(), kGeneration);
  pool.put(open(), kGeneration);
  close_peer(0);
  EXPECT_TRUE(eventually([&] { return pool.size() == 1; }));
  EXPECT_NE(pool.take(kGeneration), nullptr);
  EXPECT_EQ(pool.take(kGeneration), nullptr);
}

TEST_F(PoolTest, OneOnWhichTheInstanceSpeaksUnaskedIsNotUsed) {
  Pool pool(loop_, 60s, 8);
  auto connection = open();
  io::Stream& stream = connection->stream();
  pool.put(std::move(connection), kGeneration);
  ASSERT_EQ(write(peers_[0], "HTTP/1.1 408", 12), 12);
  ASSERT_TRUE(eventually([&] { return stream.maybe_readable(); }));
  EXPECT_EQ(pool.take(kGeneration), nullptr);
}

TEST_F(PoolTest, OctetsThatTheReaderDoesNotKnowYetAreFoundWhenItIsPut) {
  Pool pool(loop_, 60s, 8);
  auto connection = open();
  io::Stream& stream = connection->stream();
  ASSERT_EQ(write(peers_[0], "x", 1), 1);
  ASSERT_TRUE(eventually([&] { return stream.maybe_readable(); }));
  pool.put(std::move(connection), kGeneration);
  EXPECT_EQ(pool.size(), 0u);
}

TEST_F(PoolTest, AReadThatFilledItsBufferExactlyDoesNotCostTheConnection) {
  Pool pool(loop_, 60s, 8);
  auto connection = open();
  io::Stream& stream = connection->stream();
  ASSERT_EQ(write(peers_[0], "1234", 4), 4);
  ASSERT_TRUE(eventually([&] { return stream.maybe_readable(); }));
  char buffer[4];
  ASSERT_EQ(stream.try_read(buffer).bytes, 4u);
  ASSERT_TRUE(stream.maybe_readable());
  pool.put(std::move(connection), kGeneration);
  EXPECT_EQ(pool.size(), 1u);
}

TEST_F(PoolTest, AnotherGenerationIsNotKept) {
  Pool pool(loop_, 60s, 8);
  pool.put(open(kGeneration - 1), kGeneration);
  EXPECT_EQ(pool.size(), 0u);
  pool.put(open(), kGeneration);
  pool.put(open(), kGeneration);
  EXPECT_EQ(pool.take(kGeneration + 1), nullptr);
  EXPECT_EQ(pool.size(), 0u);
  pool.put(open(), kGeneration);
  pool.keep_only(kGeneration);
  EXPECT_EQ(pool.size(), 1u);
  pool.keep_only(kGeneration + 1);
  EXPECT_EQ(pool.size(), 0u);
}

TEST_F(PoolTest, IdleOnesExpire) {
  Pool pool(loop_, 5ms, 8);
  pool.put(open(), kGeneration);
  pool.put(open(), kGeneration);
  EXPECT_TRUE(eventually([&] { return pool.size() == 0; }));
}

TEST_F(PoolTest, BeyondTheBoundTheOldestGoes) {
  Pool pool(loop_, 60s, 2);
  auto a = open();
  auto b = open();
  auto c = open();
  Connection* const newest = c.get();
  Connection* const middle = b.get();
  pool.put(std::move(a), kGeneration);
  pool.put(std::move(b), kGeneration);
  pool.put(std::move(c), kGeneration);
  EXPECT_EQ(pool.size(), 2u);
  EXPECT_EQ(pool.take(kGeneration).get(), newest);
  EXPECT_EQ(pool.take(kGeneration).get(), middle);
}

}  // namespace
}  // namespace stateway::upstream
