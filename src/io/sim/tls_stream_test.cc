#include "io/tls_stream.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "io/sim/test_tls.h"

namespace stateway::io {
namespace {

std::string pattern(std::size_t octets) {
  std::string out(octets, '\0');
  for (std::size_t i = 0; i < octets; ++i) out[i] = static_cast<char>(i * 31 + i / 251);
  return out;
}

Task<void> write_then_end(Stream& to, std::string octets, Result<void>& result) {
  result = co_await to.write_all(octets, to.loop().now() + 3600s);
  to.shutdown_write();
}

Task<void> write_only(Stream& to, std::string octets, Result<void>& result) {
  result = co_await to.write_all(octets, to.loop().now() + 3600s);
}

// To the end of the stream, clean or not.
Task<Result<std::string>> read_to_end(Stream& from, std::size_t at_once) {
  std::string out;
  std::vector<char> buffer(at_once);
  for (;;) {
    const auto n = co_await from.read_some(buffer, from.loop().now() + 3600s);
    if (!n) co_return fail(n.error().code, Side::self, out);
    if (*n == 0) co_return out;
    out.append(buffer.data(), *n);
  }
}

Task<void> settle(TlsWorld& w) {
  co_await sleep_for(w.loop, 1s);  // until all that is under way has come
}

// Both directions at once; at the end both have ended cleanly.
Task<void> exchange(TlsWorld& w, std::size_t octets, std::size_t at_once) {
  TlsPair pair;
  co_await connect_pair(w, pair);
  EXPECT_TRUE(pair.near_result.has_value()) << pair.near_result.error().context;
  EXPECT_TRUE(pair.far_result.has_value()) << pair.far_result.error().context;
  if (!pair.near_result || !pair.far_result) co_return;
  const std::string sent = pattern(octets);
  Result<void> there, back;
  TaskGroup group;
  group.spawn(write_then_end(*pair.near, sent, there));
  group.spawn(write_then_end(*pair.far, sent, back));
  EXPECT_TRUE(co_await read_to_end(*pair.far, at_once) == sent);
  EXPECT_TRUE(co_await read_to_end(*pair.near, at_once) == sent);
  EXPECT_TRUE(there.has_value());
  EXPECT_TRUE(back.has_value());
}

TEST(TlsStream, CarriesBothDirectionsToACleanEnd) {
  for (const std::size_t at_once : {7u, 1'000u, 100'000u}) {
    TlsWorld w;
    w.run(exchange(w, 300'000, at_once));
  }
}

TEST(TlsStream, WorksOverAStreamThatTakesAndGivesOneOctetAtATime) {
  Faults faults;
  faults.buffer_min = faults.buffer_max = 1;
  TlsWorld w(faults);
  w.run(exchange(w, 3'000, 64));
  w.run(exchange(w, 3'000, 64));  // resumed
}

TEST(TlsStream, KeepsOctetsAndOrderWhateverTheNetworkDoesShortOfBreaking) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    Faults faults;
    faults.split = 0.3;
    faults.short_read = 0.3;
    faults.short_write = 0.3;
    faults.spurious = 0.3;
    faults.delay = 0.05;
    faults.buffer_min = 1 + random.below(20'000);
    faults.buffer_max = faults.buffer_min + random.below(20'000);
    TlsWorld w(faults, seed);
    w.run(exchange(w, 40'000, 1 + random.below(40'000)));
  }
}

Task<void> write_parts(TlsWorld& w) {
  TlsPair pair;
  co_await connect_pair(w, pair);
  std::string parts[] = {"a", "", pattern(300), pattern(20'000), "b", pattern(16'384)};
  std::string sent;
  std::vector<iovec> buffers;
  for (std::string& part : parts) {
    sent += part;
    buffers.push_back({part.data(), part.size()});
  }
  struct Writer {
    static Task<void> run(Stream& to, std::span<const iovec> from, Result<void>& result) {
      result = co_await to.write_all(from, to.loop().now() + 3600s);
      to.shutdown_write();
    }
  };
  Result<void> written;
  TaskGroup group;
  group.spawn(Writer::run(*pair.near, buffers, written));
  EXPECT_TRUE(co_await read_to_end(*pair.far, 1'000) == sent);
  EXPECT_TRUE(written.has_value());
}

TEST(TlsStream, WritesSeveralBuffersInOrder) {
  for (const std::size_t room : {10u, 1'000u, 100'000u}) {
    Faults faults;
    faults.buffer_min = faults.buffer_max = room;
    TlsWorld w(faults);
    w.run(write_parts(w));
  }
}

// How one end may go, and what the other reads then.
enum class Leave { destroyed, shut, reset, aborted, cut };

Task<void> leave(TlsWorld& w, Leave how, Result<std::string>& read) {
  TlsPair pair;
  co_await connect_pair(w, pair);
  Result<void> written;
  co_await write_only(*pair.far, "all of it", written);
  EXPECT_TRUE(written.has_value());
  co_await settle(w);
  switch (how) {
    case Leave::reset:
      pair.far->reset_on_close();
      [[fallthrough]];
    case Leave::destroyed:
      pair.far.reset();
      break;
    case Leave::shut:
      pair.far->shutdown_write();
      break;
    case Leave::aborted:
      pair.far->abort();
      break;
    case Leave::cut:  // by somebody between them, who can end a connection but knows no keys
      pair.far->end_in_clear("");
      break;
  }
  read = co_await read_to_end(*pair.near, 64);
}

TEST(TlsStream, TellsAnEndFromATruncation) {
  struct Row {
    Leave how;
    bool clean;
  };
  for (const auto& [how, clean] :
       {Row{Leave::destroyed, true}, Row{Leave::shut, true}, Row{Leave::reset, false},
        Row{Leave::aborted, false}, Row{Leave::cut, false}}) {
    TlsWorld w;
    Result<std::string> read;
    w.run(leave(w, how, read));
    ASSERT_EQ(read.has_value(), clean) << static_cast<int>(how);
    if (clean) {
      EXPECT_EQ(*read, "all of it");
    } else {
      EXPECT_EQ(read.error().code, Code::io);
      // A reset may overtake data; a truncation does not take away what came before it.
      if (how != Leave::reset) EXPECT_EQ(read.error().context, "all of it");
    }
  }
}

Task<void> answer_after_the_end(TlsWorld& w) {
  TlsPair pair;
  co_await connect_pair(w, pair);
  Result<void> asked, answered;
  TaskGroup group;
  group.spawn(write_then_end(*pair.near, "question", asked));
  EXPECT_EQ(co_await read_to_end(*pair.far, 64), "question");
  group.spawn(write_then_end(*pair.far, pattern(200'000), answered));
  EXPECT_TRUE(co_await read_to_end(*pair.near, 5'000) == pattern(200'000));
  EXPECT_TRUE(answered.has_value());
  const auto late = co_await pair.near->write_all("more", w.later());
  EXPECT_FALSE(late.has_value());
}

TEST(TlsStream, EndsOneDirectionAndGoesOnInTheOther) {
  TlsWorld w;
  w.run(answer_after_the_end(w));
}

// A close_notify that finds no room goes out when there is some.
Task<void> end_into_a_full_buffer(TlsWorld& w) {
  TlsPair pair;
  co_await connect_pair(w, pair);
  co_await settle(w);
  std::string octets = "x";
  for (;;) {  // until the stream below is full: a record is 22 octets longer than what is in it
    const iovec one{octets.data(), octets.size()};
    const Transfer t = pair.near->try_write(std::span(&one, 1));
    if (t.state != Transfer::State::ok) break;
  }
  pair.near->shutdown_write();
  const auto read = co_await read_to_end(*pair.far, 64);
  EXPECT_FALSE(read.has_value()) << "the last record was not whole";
}

Task<void> end_into_a_tight_buffer(TlsWorld& w) {
  TlsPair pair;
  co_await connect_pair(w, pair);
  co_await settle(w);
  Result<void> written;
  co_await write_only(*pair.near, pattern(1'010), written);
  EXPECT_TRUE(written.has_value());
  pair.near->shutdown_write();  // 1,032 of 1,040 octets are taken
  EXPECT_TRUE(co_await read_to_end(*pair.far, 64) == pattern(1'010));
}

TEST(TlsStream, OwesTheEndUntilThereIsRoomForIt) {
  Faults faults;
  faults.buffer_min = faults.buffer_max = 1'040;
  TlsWorld w(faults);
  w.run(end_into_a_tight_buffer(w));
  w.run(end_into_a_full_buffer(w));
}

struct Hangups final : Stream::HangupListener {
  void on_hangup() override { ++times; }
  int times = 0;
};

Task<void> hang_up(TlsWorld& w, Leave how) {
  TlsPair pair;
  co_await connect_pair(w, pair);
  co_await settle(w);
  EXPECT_FALSE(pair.near->hung_up());
  EXPECT_TRUE(pair.near->silent());
  Hangups heard;
  pair.near->set_hangup_listener(&heard);
  if (how == Leave::destroyed)
    pair.far.reset();
  else if (how == Leave::aborted)
    pair.far->abort();
  else
    pair.far->shutdown_write();
  co_await settle(w);
  EXPECT_EQ(heard.times, 1);
  EXPECT_TRUE(pair.near->hung_up());
  EXPECT_TRUE(pair.near->maybe_readable());
  EXPECT_FALSE(pair.near->silent());
  pair.near->set_hangup_listener(nullptr);
}

TEST(TlsStream, TellsOfAHangupWhileNobodyReads) {
  for (const Leave how : {Leave::destroyed, Leave::shut, Leave::aborted}) {
    TlsWorld w;
    w.run(hang_up(w, how));
  }
}

// Tickets come after the handshake: nobody is woken by them, and an idle connection stays usable.
Task<void> stay_idle(TlsWorld& w) {
  TlsPair pair;
  co_await connect_pair(w, pair);
  const auto nothing = co_await pair.near->readable(w.loop.now() + 5s);
  EXPECT_FALSE(nothing.has_value());
  EXPECT_FALSE(pair.near->maybe_readable());
  EXPECT_TRUE(pair.near->silent());
  EXPECT_TRUE(pair.far->silent());

  Result<void> written;
  co_await write_only(*pair.far, "hello", written);
  EXPECT_TRUE((co_await pair.near->readable(w.loop.now() + 5s)).has_value());
  EXPECT_FALSE(pair.near->silent());
  char buffer[64];
  const Transfer t = pair.near->try_read(buffer);
  EXPECT_EQ(t.state, Transfer::State::ok);
  EXPECT_EQ(t.bytes, 5u);
  EXPECT_FALSE(pair.near->maybe_readable());
  EXPECT_TRUE(pair.near->silent());
}

TEST(TlsStream, RecordsWithoutDataMakeNothingReadable) {
  TlsWorld w;
  w.run(stay_idle(w));
}

Task<void> run_into_time_outs(TlsWorld& w) {
  TlsPair pair;
  co_await connect_pair(w, pair);
  char buffer[64];
  const auto nothing = co_await pair.near->read_some(buffer, w.loop.now() + 1s);
  EXPECT_FALSE(nothing.has_value());
  if (!nothing) EXPECT_EQ(nothing.error().code, Code::timeout);

  const std::string big = pattern(1'000'000);  // more than the way holds, and nobody reads
  const auto stuck = co_await pair.near->write_all(big, w.loop.now() + 1s);
  EXPECT_FALSE(stuck.has_value());
  if (!stuck) EXPECT_EQ(stuck.error().code, Code::timeout);
  if (!stuck) EXPECT_EQ(stuck.error().retry, Retry::never);
  // What the peer reads is a prefix, and it is not taken for the whole.
  pair.near.reset();
  const auto read = co_await read_to_end(*pair.far, 5'000);
  EXPECT_FALSE(read.has_value());
  if (!read) EXPECT_TRUE(big.starts_with(read.error().context));
}

TEST(TlsStream, KeepsDeadlinesAndLeavesABrokenMessageBroken) {
  TlsWorld w;
  w.run(run_into_time_outs(w));
}

Task<void> abort_a_reader(TlsWorld& w) {
  TlsPair pair;
  co_await connect_pair(w, pair);
  Result<std::string> read;
  struct Reader {
    static Task<void> run(Stream& from, Result<std::string>& out) { out = co_await read_to_end(from, 64); }
  };
  TaskGroup group;
  group.spawn(Reader::run(*pair.near, read));
  pair.near->abort();
  EXPECT_EQ(group.running(), 1u) << "not on the caller's stack";
  co_await group.drained();
  EXPECT_FALSE(read.has_value());
}

TEST(TlsStream, AbortEndsAWaitingRead) {
  TlsWorld w;
  w.run(abort_a_reader(w));
}

// Whoever is woken may destroy the stream.
Task<void> destroy_when_read(TlsPair& pair) {
  char buffer[64];
  (void)co_await pair.near->read_some(buffer, pair.near->loop().now() + 3600s);
  pair.near.reset();
}

Task<void> wake_who_destroys(TlsWorld& w, bool by_an_end) {
  TlsPair pair;
  co_await connect_pair(w, pair);
  TaskGroup group;
  group.spawn(destroy_when_read(pair));
  Result<void> written;
  if (by_an_end)
    pair.far->shutdown_write();
  else
    co_await write_only(*pair.far, "hello", written);
  co_await group.drained();
  EXPECT_EQ(pair.near, nullptr);
}

TEST(TlsStream, MayBeDestroyedByWhomItWakes) {
  for (const bool by_an_end : {false, true}) {
    TlsWorld w;
    w.run(wake_who_destroys(w, by_an_end));
  }
}

}  // namespace
}  // namespace stateway::io
