// What one seed does: drawn before anything runs, so that it can be printed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/sim/faults.h"
#include "memory.h"
#include "session/options.h"
#include "store.h"

namespace stateway::sim {

/// How instances misbehave: probabilities of each request.
struct ShopFaults {
  double crash = 0;      // the process dies with the request in its hands, and comes back
  double drop = 0;       // the connection ends instead of an answer
  double stall = 0;      // it thinks for longer than anybody waits
  double garbage = 0;    // an answer that is no HTTP
  double half_head = 0;  // an answer that breaks off inside its head
  double half_body = 0;  // … or inside its body
  double refuse = 0;     // 500, 502 or 503, without a patch
  double early = 0;      // the answer comes before the request's body
  double hang_up = 0;    // the connection ends behind a good answer that did not say so
  double bad_patch = 0;  // a patch that does not parse
};

/// Something that happens to a part of the world at a moment. leave_out: the gateways are reconfigured
/// without one of the instances, and later with it. place: sessions live elsewhere from then on.
struct Blow {
  enum class Kind : unsigned char {
    kill_gateway,
    drain_gateway,
    kill_instance,
    vanish_instance,
    leave_out,
    jump_clock,
    place
  };
  Duration at{};
  Kind kind = Kind::kill_gateway;
  std::uint64_t which = 0;  // of the gateways or instances, modulo their number
  Duration length{};        // until it is back; of the jump, which is back if `which` is odd
};

std::string_view blow_name(Blow::Kind kind);

/// Where sessions live after a blow of kind `place`.
session::Placement placement_of(const Blow& blow, bool cookies);

struct Plan {
  std::uint64_t seed = 0;
  const io::FaultProfile* network = nullptr;
  StoreFaults store;
  ShopFaults shop;
  unsigned gateways = 1;  // on one durable store
  unsigned instances = 2;
  unsigned shoppers = 2;
  unsigned exchanges = 20;               // of each shopper; all together at least kExchangesMin
  bool health = false;                   // active checks
  unsigned concurrency = 0;              // of each instance; 0: unlimited
  std::vector<Blow> blows;               // in order of time
  bool serial = false;                   // exchanges of one session take turns
  Holding holding = Holding::carefully;  // of the instances
  bool cookies = false;  // sessions may live in their cookies: then there is one gateway, which stays…
  bool alone = false;    // … unless each shopper has one request at a time
  session::Placement placement = session::Placement::store;  // at the start

  std::string text() const;
};

/// Exchanges of a seed, at least.
inline constexpr unsigned kExchangesMin = 24;

Plan make_plan(std::uint64_t seed);

}  // namespace stateway::sim
