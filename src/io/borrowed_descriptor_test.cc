#include "io/borrowed_descriptor.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include "io/test_loop.h"

namespace stateway::io {
namespace {

using For = BorrowedDescriptor::For;

/// A connected pair; either end can be closed by hand.
struct Pair {
  Pair() { CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0); }
  ~Pair() {
    close_end(0);
    close_end(1);
  }
  void close_end(std::size_t i) {
    if (ends[i] >= 0) close(ends[i]);
    ends[i] = -1;
  }
  void say(std::size_t i) const { CHECK(write(ends[i], "x", 1) == 1); }
  void hear(std::size_t i) const {
    char octet;
    CHECK(read(ends[i], &octet, 1) == 1);
  }
  std::array<int, 2> ends{};
};

Task<void> say_later(Loop& loop, const Pair& pair) {
  co_await sleep_for(loop, 0ms);
  pair.say(1);
}

Task<void> by_level(Loop& loop) {
  const Pair pair;
  BorrowedDescriptor descriptor(loop);
  TaskGroup group;
  group.spawn(say_later(loop, pair));
  EXPECT_TRUE(co_await descriptor.ready(pair.ends[0], For::reading, loop.now() + 10s));
  EXPECT_TRUE(co_await descriptor.ready(pair.ends[0], For::reading, loop.now() + 10s)) << "nothing was read";
  pair.hear(0);
  const auto late = co_await descriptor.ready(pair.ends[0], For::reading, loop.now() + 1ms);
  EXPECT_TRUE(!late && late.error().code == Code::timeout);
  EXPECT_TRUE(co_await descriptor.ready(pair.ends[0], For::writing, loop.now() + 10s));
  EXPECT_TRUE(co_await descriptor.ready(pair.ends[0], For::either, loop.now() + 10s));
}

TEST(BorrowedDescriptor, IsReadyAsLongAsItIs) {
  EpollLoop loop;
  run_until_done(loop, by_level(loop));
}

Task<void> replaced(Loop& loop) {
  BorrowedDescriptor descriptor(loop);
  for (int i = 0; i < 3; ++i) {  // each takes the numbers of the one before
    Pair pair;
    pair.say(1);
    EXPECT_TRUE(co_await descriptor.ready(pair.ends[0], For::reading, loop.now() + 10s));
    pair.close_end(1);
    EXPECT_TRUE(co_await descriptor.ready(pair.ends[0], For::reading, loop.now() + 10s)) << "its end";
  }
  const auto refused = co_await descriptor.ready(-1, For::reading, loop.now() + 10s);
  EXPECT_TRUE(!refused && refused.error().code == Code::io);
}

TEST(BorrowedDescriptor, MayBeAnotherEachTime) {
  EpollLoop loop;
  run_until_done(loop, replaced(loop));
}

Task<void> wait_for_reading(Loop& loop, BorrowedDescriptor& descriptor, int fd, bool& done) {
  done = (co_await descriptor.ready(fd, For::reading, loop.now() + 10s)).has_value();
}

Task<void> widened(Loop& loop) {
  const Pair pair;
  BorrowedDescriptor descriptor(loop);
  descriptor.also_for_writing();  // nobody waits: nothing
  bool done = false;
  TaskGroup group;
  group.spawn(wait_for_reading(loop, descriptor, pair.ends[0], done));
  co_await sleep_for(loop, 0ms);
  EXPECT_FALSE(done);
  descriptor.also_for_writing();
  co_await group.drained();
  EXPECT_TRUE(done);
}

TEST(BorrowedDescriptor, AWaitCanBeWidenedToWriting) {
  EpollLoop loop;
  run_until_done(loop, widened(loop));
}

Task<void> hurried(Loop& loop) {
  const Pair pair;
  BorrowedDescriptor descriptor(loop);
  descriptor.move_deadline(loop.now());  // nobody waits: nothing
  bool done = true;
  TaskGroup group;
  group.spawn(wait_for_reading(loop, descriptor, pair.ends[0], done));
  descriptor.move_deadline(loop.now() + 1ms);
  co_await group.drained();
  EXPECT_FALSE(done);
}

TEST(BorrowedDescriptor, AWaitCanBeGivenAnotherDeadline) {
  EpollLoop loop;
  run_until_done(loop, hurried(loop));
}

Task<void> cancelled(Loop& loop) {
  const Pair pair;
  BorrowedDescriptor descriptor(loop);
  bool done = false;
  {
    TaskGroup group;
    group.spawn(wait_for_reading(loop, descriptor, pair.ends[0], done));
    pair.say(1);
  }
  co_await sleep_for(loop, 0ms);
  co_await sleep_for(loop, 0ms);
  EXPECT_FALSE(done);
  EXPECT_TRUE(co_await descriptor.ready(pair.ends[0], For::reading, loop.now() + 10s));
}

TEST(BorrowedDescriptor, AWaitThatWasDestroyedIsOver) {
  EpollLoop loop;
  run_until_done(loop, cancelled(loop));
}

}  // namespace
}  // namespace stateway::io
