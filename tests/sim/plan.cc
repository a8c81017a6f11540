#include "plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace stateway::sim {
namespace {

constexpr std::array<std::string_view, 7> kBlowNames = {
    "kill-gateway", "drain-gateway", "kill-instance", "vanish-instance", "leave-out", "jump-clock", "place"};

// One of the rates, none half of the time.
double rate(Random& random, std::initializer_list<double> rates) {
  if (random.below(2) == 0) return 0;
  return rates.begin()[random.below(rates.size())];
}

StoreFaults store_faults(Random& random) {
  StoreFaults out;
  if (random.below(3) == 0) out.delay_max = 20ms;
  if (random.below(2) == 0) return out;
  out.slow = rate(random, {0.01, 0.1});
  out.load_fails = rate(random, {0.01, 0.1});
  out.fails_before = rate(random, {0.01, 0.1});
  out.fails_after = rate(random, {0.01, 0.1});
  out.poison = rate(random, {0.005, 0.02});
  return out;
}

ShopFaults shop_faults(Random& random) {
  ShopFaults out;
  if (random.below(3) == 0) return out;
  for (double* r : {&out.crash, &out.drop, &out.stall, &out.garbage, &out.half_head, &out.half_body,
                    &out.refuse, &out.early, &out.hang_up, &out.bad_patch})
    if (random.below(2) == 0) *r = rate(random, {0.01, 0.03, 0.1});
  return out;
}

// What overlaps within a gateway is known to that process alone, for a minute, if the documents are in
// cookies.
bool forgets_overlaps(Blow::Kind kind) {
  return kind == Blow::Kind::kill_gateway || kind == Blow::Kind::drain_gateway ||
         kind == Blow::Kind::jump_clock;
}

// Which exchanges may still leave a document in an instance, only their gateway knows, and only while the
// placement is hybrid.
bool forgets_visits(const Blow& blow) {
  return blow.kind == Blow::Kind::kill_gateway || blow.kind == Blow::Kind::drain_gateway ||
         blow.kind == Blow::Kind::place;
}

Blow blow(Random& random, const Plan& plan) {
  Blow out;
  out.at = io::draw(random, Duration(0), 3s);
  constexpr std::array kKinds = {Blow::Kind::kill_gateway,    Blow::Kind::kill_gateway,
                                 Blow::Kind::drain_gateway,   Blow::Kind::kill_instance,
                                 Blow::Kind::kill_instance,   Blow::Kind::kill_instance,
                                 Blow::Kind::vanish_instance, Blow::Kind::leave_out,
                                 Blow::Kind::jump_clock,      Blow::Kind::place};
  out.kind = kKinds[random.below(kKinds.size())];
  if (plan.cookies && !plan.alone && forgets_overlaps(out.kind)) out.kind = Blow::Kind::place;
  out.which = random.below(64);
  // Jumps are shorter, together, than half of what makes a session expire.
  out.length = out.kind == Blow::Kind::jump_clock ? io::draw(random, 1s, 120s) : io::draw(random, 1ms, 2s);
  return out;
}

}  // namespace

session::Placement placement_of(const Blow& blow, bool cookies) {
  constexpr std::array kPlacements = {session::Placement::store, session::Placement::hybrid,
                                      session::Placement::client};
  return kPlacements[blow.which / 8 % (cookies ? 3 : 2)];  // the lower bits say at which gateway
}

std::string_view blow_name(Blow::Kind kind) { return kBlowNames[static_cast<std::size_t>(kind)]; }

Plan make_plan(std::uint64_t seed) {
  SeededRandom random(seed);
  Plan out;
  out.seed = seed;
  out.network = &io::draw_profile(random);
  out.store = store_faults(random);
  out.shop = shop_faults(random);
  out.gateways = 1 + static_cast<unsigned>(random.below(3) == 0);
  out.instances = 1 + static_cast<unsigned>(random.below(3));
  out.shoppers = 1 + static_cast<unsigned>(random.below(4));
  out.exchanges = (kExchangesMin + static_cast<unsigned>(random.below(12)) + out.shoppers - 1) / out.shoppers;
  out.health = random.below(3) == 0;
  out.concurrency = random.below(4) == 0 ? 1 + static_cast<unsigned>(random.below(3)) : 0;
  out.cookies = random.below(2) == 0;
  out.alone = out.cookies && (out.gateways > 1 || random.below(3) == 0);
  if (random.below(2) == 0)
    out.placement =
        out.cookies && random.below(2) == 0 ? session::Placement::client : session::Placement::hybrid;
  for (std::uint64_t n = random.below(out.cookies ? 9 : 5); n > 0; --n)
    out.blows.push_back(blow(random, out));
  std::ranges::sort(out.blows, {}, &Blow::at);
  out.serial = random.below(3) == 0;
  if (out.gateways == 1 && std::ranges::none_of(out.blows, forgets_visits)) out.holding = Holding::plainly;
  return out;
}

std::string Plan::text() const {
  std::string out =
      fmt::format("seed {}: network {}, {} gateway(s), {} instance(s){}, {} shopper(s) of {} exchanges", seed,
                  network->name, gateways, instances, health ? " with checks" : "", shoppers, exchanges);
  const auto ms = [](Duration d) { return std::chrono::duration_cast<std::chrono::milliseconds>(d).count(); };
  const auto say = [&out](std::string_view what, double r) {
    if (r > 0) out += fmt::format(", {} {}", what, r);
  };
  if (serial) out += ", serial";
  if (alone) out += ", one request at a time";
  if (holding == Holding::plainly) out += ", documents held plainly";
  out += fmt::format(", placement {}", session::placement_name(placement));
  if (concurrency > 0) out += fmt::format(", {} at once per instance", concurrency);
  out += "\n  store:";
  out += fmt::format(" up to {} ms", ms(store.delay_max));
  say("slow", store.slow);
  say("load_fails", store.load_fails);
  say("fails_before", store.fails_before);
  say("fails_after", store.fails_after);
  say("poison", store.poison);
  out += "\n  shop: as it should";
  say("crash", shop.crash);
  say("drop", shop.drop);
  say("stall", shop.stall);
  say("garbage", shop.garbage);
  say("half_head", shop.half_head);
  say("half_body", shop.half_body);
  say("refuse", shop.refuse);
  say("early", shop.early);
  say("hang_up", shop.hang_up);
  say("bad_patch", shop.bad_patch);
  for (const Blow& b : blows)
    out += fmt::format("\n  at {} ms: {} {} for {} ms", ms(b.at), blow_name(b.kind), b.which, ms(b.length));
  return out;
}

}  // namespace stateway::sim
