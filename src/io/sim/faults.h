// What the simulated world may do to the code under test. Nothing happens in it that does not happen to a
// process on Linux, and everything here is drawn from the seed.
//
// Each fault, what happens, and behind the last colon what must hold all the same:
// - latency: octets arrive between latency_min and latency_max after they were written: order within a
//   direction is kept.
// - delay: …or up to delay_max later, and all behind them too: time-outs end the wait.
// - split: one write arrives in several pieces, at several times: messages are put together.
// - short_read: a read yields less than is there, and no edge follows: the rest is read without an
//   edge.
// - short_write: a write takes a part, and then none for a while: the rest goes out, in order.
// - spurious: a readiness edge with nothing behind it: the wait goes on, or gives up.
// - buffer: a direction holds buffer_min … buffer_max octets, and nothing more is taken until the peer
//   reads: a bounded amount is held, and time-outs end the wait.
// - reset: the connection breaks; what is under way is lost, and half of the time also what had arrived
//   and was unread: unsafe requests are not repeated unless the route says so.
// - silence: half-open: from some octet on nothing arrives any more either way, neither data nor an
//   end: time-outs end the wait.
// - refuse: a connect is refused although somebody listens: another instance is tried.
// - lose: a connect is never answered: timeout.connect ends it.
// - shortage: a connect fails for want of descriptors of our own: no instance is blamed for it.
// - accept_shortage: an accept fails for want of descriptors: accepting goes on after a pause.
// - stall: the loop's thread stands still for up to stall_max, and many things are due in one turn, in
//   any order: whoever was in time at the other end may still be told he was not.
// - SimHost::vanish: by call: a machine without power or cable: as silence and lose together.
// - SimClock::jump: by call: the wall clock is set, back or ahead: deadlines do not move.
//
// Rates are probabilities, drawn for each write (delay, split, short_write, reset, silence), read
// (short_read), arrival (spurious), connect (refuse, lose, shortage), accept or turn of the loop (stall).
#pragma once

#include <cstddef>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"

namespace stateway::io {

struct Faults {
  Duration latency_min = std::chrono::microseconds(20);
  Duration latency_max = std::chrono::microseconds(200);
  double delay = 0;
  Duration delay_max = 2s;
  double split = 0;
  double short_read = 0;
  double short_write = 0;
  double spurious = 0;
  std::size_t buffer_min = 64 * 1024;
  std::size_t buffer_max = 256 * 1024;
  double reset = 0;
  double silence = 0;
  double refuse = 0;
  double lose = 0;
  double shortage = 0;
  double accept_shortage = 0;
  double stall = 0;
  Duration stall_max = 200ms;
};

/// Profiles, from none to everything at once. Named so that a failing seed can say in which it ran.
struct FaultProfile {
  std::string_view name;
  Faults faults;
};

/// Nothing but latency.
const FaultProfile& calm_profile();
/// One of all profiles: calm, or with a few kinds of faults, or with many.
const FaultProfile& draw_profile(Random& random);

/// True with this probability. Draws nothing for 0, so that a profile without a fault is the same run as
/// before the fault existed.
inline bool happens(Random& random, double probability) {
  constexpr std::uint64_t kScale = 1u << 24;
  return probability > 0 &&
         random.below(kScale) < static_cast<std::uint64_t>(probability * static_cast<double>(kScale));
}

/// Uniform in [least, most].
inline Duration draw(Random& random, Duration least, Duration most) {
  if (most <= least) return least;
  return least + Duration(random.below(static_cast<std::uint64_t>((most - least).count()) + 1));
}

}  // namespace stateway::io
