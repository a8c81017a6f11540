#include "gateway/listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "gateway/pipeline.h"
#include "io/epoll.h"
#include "io/test_loop.h"
#include "session/key_ring.h"
#include "store/memory.h"

namespace stateway::gateway {
namespace {

// A system that is short of descriptors.
class NoDescriptors final : public io::Acceptor {
 public:
  explicit NoDescriptors(unsigned& failures) : failures_(failures) {}
  io::Task<Result<io::Accepted>> accept() override {
    ++failures_;
    co_return fail(Code::io, Side::self, "Too many open files");
  }

 private:
  unsigned& failures_;
};

struct World {
  io::EpollLoop loop;
  SystemClock clock;
  SystemRandom random;
  store::MemoryStore store{clock, 10};
  session::KeyRing keys{clock, random};
  session::Sessions sessions{store, keys, clock, random};
  session::Holders holders{0};
  SessionUrls urls{"http://h/0/", random};
  Pipeline pipeline;
  Counters counters;
  OnLoop on{.loop = loop,
            .clock = clock,
            .random = random,
            .sessions = sessions,
            .holders = holders,
            .session_urls = urls,
            .config = config(),
            .pipeline = pipeline,
            .counters = counters,
            .date = {}};

  static std::shared_ptr<const LoopConfig> config() {
    LoopConfig out;
    out.snapshot = std::make_shared<const Snapshot>(Snapshot{.routes = route::Table({})});
    return std::make_shared<const LoopConfig>(std::move(out));
  }
};

io::Task<void> wait_for(World& world, const unsigned& failures, unsigned n) {
  while (failures < n) co_await io::sleep_for(world.loop, 1ms);
}

TEST(Listener, FailuresToAcceptDoNotBuryTheLog) {
  World world;
  unsigned failures = 0;
  Listener listener(world.on);
  testing::internal::CaptureStderr();
  listener.listen(std::make_unique<NoDescriptors>(failures));
  io::run_until_done(world.loop, wait_for(world, failures, 4));
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, testing::HasSubstr("cannot accept connections error=\"Too many open files\" times=1\n"));
  EXPECT_EQ(std::ranges::count(log, '\n'), 1) << log;
}

}  // namespace
}  // namespace stateway::gateway
