#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "io/sim/clock.h"
#include "io/sim/network.h"
#include "io/task_group.h"
#include "io/test_loop.h"

namespace stateway::io {
namespace {

const Address kServer{.host = "10.0.0.2", .port = 80};

// A network of two hosts, and one connection between them.
struct World {
  explicit World(const Faults& faults = {}, std::uint64_t seed = 1)
      : random(seed), loop(random, faults), network(loop, random, faults) {}

  void run(Task<void> task) { run_until_done(loop, std::move(task), 24 * 3600s); }

  SeededRandom random;
  SimLoop loop;
  SimNetwork network;
  SimHost client{network, "10.0.0.1"};
  SimHost server{network, "10.0.0.2"};
};

struct Pair {
  std::unique_ptr<Stream> near, far;
};

Task<void> connect_pair(World& w, Pair& pair) {
  auto acceptor = w.server.listen(kServer);
  auto near = co_await w.client.connect(kServer, w.loop.now() + 1s);
  EXPECT_TRUE(near.has_value());
  auto far = co_await acceptor->accept();
  EXPECT_TRUE(far.has_value());
  EXPECT_EQ(far->peer, "10.0.0.1");
  pair.near = std::move(*near);
  pair.far = std::move(far->stream);
}

std::string pattern(std::size_t octets) {
  std::string out(octets, '\0');
  for (std::size_t i = 0; i < octets; ++i) out[i] = static_cast<char>(i * 31 + i / 251);
  return out;
}

Task<void> write_then_close(Stream& to, std::string octets, Result<void>& result) {
  result = co_await to.write_all(octets, to.loop().now() + 3600s);
  to.shutdown_write();
}

Task<std::string> read_to_end(Stream& from, std::size_t at_once) {
  std::string out;
  std::vector<char> buffer(at_once);
  for (;;) {
    const auto n = co_await from.read_some(buffer, from.loop().now() + 3600s);
    EXPECT_TRUE(n.has_value());
    if (!n || *n == 0) co_return out;
    out.append(buffer.data(), *n);
  }
}

TEST(SimLoop, WaitsInNoTimeAtAll) {
  World w;
  static constexpr auto sleeper = [](World& world) -> Task<void> {
    const TimePoint began = world.loop.now();
    co_await sleep_for(world.loop, 10 * 3600s);
    EXPECT_GE(world.loop.now(), began + 10 * 3600s);
    EXPECT_LT(world.loop.now(), began + 10 * 3600s + 1ms);
  };
  w.run(sleeper(w));
}

TEST(SimLoop, EndsWhenNothingCanHappenAnyMore) {
  World w;
  int events = 0;
  w.loop.at(w.loop.now() + 5s, [&] { ++events; });
  w.loop.run();
  EXPECT_EQ(events, 1);
  EXPECT_TRUE(w.loop.ran_dry());
}

TEST(SimLoop, EventsOfOneMomentHappenInTheOrderOfTheCalls) {
  World w;
  std::string order;
  for (const char c : {'a', 'b', 'c', 'd'}) w.loop.at(w.loop.now() + 1s, [&order, c] { order += c; });
  w.loop.at(w.loop.now() + 500ms, [&order] { order += '0'; });
  w.loop.run();
  EXPECT_EQ(order, "0abcd");
}

TEST(SimLoop, AStallMakesManyThingsDueInOneTurn) {
  Faults faults;
  faults.stall = 1;
  faults.stall_max = 10s;
  World w(faults);
  TimePoint first{}, second{};
  w.loop.at(w.loop.now() + 1s, [&] { first = w.loop.now(); });
  w.loop.at(w.loop.now() + 1001ms, [&] { second = w.loop.now(); });
  w.loop.run();
  EXPECT_GT(first, SimLoop::kStart + 1s);
  EXPECT_EQ(first, second);
}

TEST(SimClock, JumpsMoveNoDeadline) {
  World w;
  SimClock clock(w.loop);
  static constexpr auto sleeper = [](World& world, SimClock& wall) -> Task<void> {
    const WallMillis began = wall.now();
    const TimePoint due = world.loop.now() + 10s;
    wall.jump(-3600s);
    co_await SleepUntil(world.loop, due);
    EXPECT_EQ(wall.now(), began + 10'000 - 3'600'000);
    wall.jump(7200s);
    EXPECT_EQ(wall.now(), began + 10'000 + 3'600'000);
  };
  w.run(sleeper(w, clock));
}

TEST(SimStream, EveryProfileThatLosesNothingKeepsOctetsAndOrder) {
  static constexpr auto transfer = [](World& w) -> Task<void> {
    Pair pair;
    co_await connect_pair(w, pair);
    const std::string sent = pattern(100'000);
    Result<void> there, back;
    TaskGroup group;
    group.spawn(write_then_close(*pair.near, sent, there));
    group.spawn(write_then_close(*pair.far, sent, back));
    EXPECT_EQ(co_await read_to_end(*pair.far, 1000), sent);
    EXPECT_EQ(co_await read_to_end(*pair.near, 7), sent);
    EXPECT_TRUE(there.has_value());
    EXPECT_TRUE(back.has_value());
  };
  Faults faults;
  faults.split = 0.5;
  faults.short_read = 0.5;
  faults.short_write = 0.5;
  faults.spurious = 0.2;
  faults.delay = 0.01;
  faults.stall = 0.01;
  faults.buffer_min = 100;
  faults.buffer_max = 5000;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    World w(faults, seed);
    w.run(transfer(w));
  }
}

TEST(SimStream, AWriterWaitsForItsReader) {
  static constexpr auto body = [](World& w) -> Task<void> {
    Pair pair;
    co_await connect_pair(w, pair);
    const std::string sent = pattern(20'000);
    const auto late = co_await pair.near->write_all(sent, w.loop.now() + 1s);
    EXPECT_FALSE(late.has_value());
    EXPECT_EQ(late.error().code, Code::timeout);
    std::vector<char> buffer(30'000);
    const auto n = co_await pair.far->read_some(buffer, w.loop.now() + 1s);
    EXPECT_TRUE(n.has_value());
    EXPECT_GE(*n, 1000u);
    EXPECT_LE(*n, 2000u);
  };
  Faults faults;
  faults.buffer_min = 1000;
  faults.buffer_max = 2000;
  World w(faults);
  w.run(body(w));
}

TEST(SimStream, AnEndComesBehindTheDataAndIsTold) {
  struct Listens final : Stream::HangupListener {
    void on_hangup() override { told = true; }
    bool told = false;
  };
  static constexpr auto body = [](World& w) -> Task<void> {
    Pair pair;
    co_await connect_pair(w, pair);
    Listens listener;
    pair.far->set_hangup_listener(&listener);
    EXPECT_TRUE(pair.far->silent());
    (void)co_await pair.near->write_all("hello", w.loop.now() + 1s);
    pair.near.reset();
    co_await sleep_for(w.loop, 1s);
    EXPECT_TRUE(listener.told);
    EXPECT_FALSE(pair.far->silent());
    EXPECT_EQ(co_await read_to_end(*pair.far, 100), "hello");
    // Whoever writes to a peer that is gone learns of it.
    EXPECT_TRUE((co_await pair.far->write_all("x", w.loop.now() + 1s)).has_value());
    co_await sleep_for(w.loop, 1s);
    EXPECT_FALSE((co_await pair.far->write_all("x", w.loop.now() + 1s)).has_value());
  };
  World w;
  w.run(body(w));
}

TEST(SimStream, ClosingWithUnreadOctetsAndClosingHardBothReset) {
  static constexpr auto body = [](World& w, bool hard) -> Task<void> {
    Pair pair;
    co_await connect_pair(w, pair);
    if (hard) {
      pair.far->reset_on_close();
    } else {
      (void)co_await pair.near->write_all("never read", w.loop.now() + 1s);
      co_await sleep_for(w.loop, 1s);
    }
    pair.far.reset();
    char octet;
    const auto n = co_await pair.near->read_some(std::span(&octet, 1), w.loop.now() + 1s);
    EXPECT_FALSE(n.has_value());
    EXPECT_EQ(n.error().code, Code::io);
  };
  for (const bool hard : {false, true}) {
    World w;
    w.run(body(w, hard));
  }
}

TEST(SimStream, AbortEndsBothSides) {
  static constexpr auto body = [](World& w) -> Task<void> {
    Pair pair;
    co_await connect_pair(w, pair);
    pair.near->abort();
    EXPECT_EQ(co_await read_to_end(*pair.near, 10), "");
    EXPECT_EQ(co_await read_to_end(*pair.far, 10), "");
    EXPECT_FALSE((co_await pair.near->write_all("x", w.loop.now() + 1s)).has_value());
  };
  World w;
  w.run(body(w));
}

TEST(SimStream, AfterSilenceOnlyTimeOutsEndAWait) {
  static constexpr auto body = [](World& w) -> Task<void> {
    Pair pair;
    co_await connect_pair(w, pair);
    w.server.vanish();
    EXPECT_TRUE((co_await pair.near->write_all("anybody?", w.loop.now() + 1s)).has_value());
    pair.far.reset();  // even this is not heard of
    char octet;
    const auto n = co_await pair.near->read_some(std::span(&octet, 1), w.loop.now() + 3600s);
    EXPECT_EQ(n.error().code, Code::timeout);
    EXPECT_FALSE(pair.near->hung_up());
  };
  World w;
  w.run(body(w));
}

TEST(SimStream, ASilentPeerStopsAWriterAtItsBuffer) {
  static constexpr auto body = [](World& w) -> Task<void> {
    Pair pair;
    co_await connect_pair(w, pair);
    w.server.vanish();
    const std::string much = pattern(1 << 20);
    const auto written = co_await pair.near->write_all(much, w.loop.now() + 60s);
    EXPECT_EQ(written.error().code, Code::timeout);
  };
  World w;
  w.run(body(w));
}

Task<Result<std::unique_ptr<Stream>>> connect(World& w, Duration patience) {
  co_return co_await w.client.connect(kServer, w.loop.now() + patience);
}

TEST(SimNetwork, RefusesWhereNobodyListensAndIsSilentWhereNobodyLives) {
  static constexpr auto body = [](World& w) -> Task<void> {
    auto refused = co_await connect(w, 1s);
    EXPECT_EQ(refused.error().code, Code::connect_failed);
    EXPECT_EQ(refused.error().side, Side::upstream);
    auto acceptor = w.server.listen(kServer);
    w.server.vanish();
    const TimePoint began = w.loop.now();
    auto lost = co_await connect(w, 3s);
    EXPECT_EQ(lost.error().code, Code::connect_timeout);
    EXPECT_GE(w.loop.now(), began + 3s);
    w.server.reappear();
    EXPECT_TRUE((co_await connect(w, 3s)).has_value());
  };
  World w;
  w.run(body(w));
}

TEST(SimNetwork, AFullBacklogAnswersNobody) {
  static constexpr auto body = [](World& w) -> Task<void> {
    auto acceptor = w.server.listen(kServer);
    std::vector<std::unique_ptr<Stream>> waiting;
    for (std::size_t i = 0; i < SimNetwork::kBacklog; ++i) {
      auto connected = co_await connect(w, 1s);
      EXPECT_TRUE(connected.has_value());
      waiting.push_back(std::move(*connected));
    }
    EXPECT_EQ((co_await connect(w, 1s)).error().code, Code::connect_timeout);
    acceptor.reset();  // those that nobody accepted are reset
    char octet;
    const auto n = co_await waiting.back()->read_some(std::span(&octet, 1), w.loop.now() + 1s);
    EXPECT_EQ(n.error().code, Code::io);
  };
  World w;
  w.run(body(w));
}

TEST(SimNetwork, EveryConnectFaultHasItsOwnError) {
  static constexpr auto body = [](World& w, Code code, Side side) -> Task<void> {
    auto acceptor = w.server.listen(kServer);
    auto failed = co_await connect(w, 1s);
    EXPECT_EQ(failed.error().code, code);
    EXPECT_EQ(failed.error().side, side);
    EXPECT_EQ(failed.error().retry, Retry::always);
  };
  const struct {
    Faults faults;
    Code code;
    Side side;
  } rows[] = {
      {{.refuse = 1}, Code::connect_failed, Side::upstream},
      {{.lose = 1}, Code::connect_timeout, Side::upstream},
      {{.shortage = 1}, Code::connect_failed, Side::self},
  };
  for (const auto& row : rows) {
    World w(row.faults);
    w.run(body(w, row.code, row.side));
  }
}

TEST(SimNetwork, ResetsAndShortagesOfAcceptHappen) {
  static constexpr auto body = [](World& w) -> Task<void> {
    auto acceptor = w.server.listen(kServer);
    auto connected = co_await connect(w, 1s);
    EXPECT_EQ((co_await acceptor->accept()).error().code, Code::io);
    w.network.set_faults({.reset = 1});
    auto accepted = co_await acceptor->accept();
    (void)co_await (*connected)->write_all("x", w.loop.now() + 1s);
    co_await sleep_for(w.loop, 1s);
    EXPECT_FALSE((co_await (*connected)->write_all("x", w.loop.now() + 1s)).has_value());
    EXPECT_TRUE(accepted->stream->hung_up());
  };
  World w({.accept_shortage = 1});
  w.run(body(w));
}

// What a run leaves behind, as one number.
std::uint64_t trace_of(std::uint64_t seed) {
  static constexpr auto body = [](World& w, std::uint64_t& trace) -> Task<void> {
    Pair pair;
    co_await connect_pair(w, pair);
    Result<void> written;
    TaskGroup group;
    group.spawn(write_then_close(*pair.near, pattern(30'000), written));
    std::vector<char> buffer(900);
    for (;;) {
      const auto n = co_await pair.far->read_some(buffer, w.loop.now() + 60s);
      trace = trace * 1'000'003 + (n ? *n : 12345) +
              static_cast<std::uint64_t>(w.loop.now().time_since_epoch().count());
      if (!n || *n == 0) co_return;
    }
  };
  SeededRandom profiles(seed);
  Faults faults = draw_profile(profiles).faults;
  faults.refuse = faults.lose = faults.shortage = faults.accept_shortage = 0;
  World w(faults, seed);
  std::uint64_t trace = 0;
  w.run(body(w, trace));
  return trace * 31 + w.loop.turns();
}

TEST(Sim, ASeedIsOneRunAndAnotherSeedAnother) {
  std::vector<std::uint64_t> traces;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    traces.push_back(trace_of(seed));
    EXPECT_EQ(trace_of(seed), traces.back()) << "seed " << seed;
  }
  std::ranges::sort(traces);
  EXPECT_EQ(std::ranges::unique(traces).size(), 0u);
}

}  // namespace
}  // namespace stateway::io
