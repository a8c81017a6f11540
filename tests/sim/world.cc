#include "world.h"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "gateway.h"
#include "oracle.h"
#include "plan.h"
#include "planted.h"
#include "shop.h"
#include "shopper.h"
#include "store.h"

namespace stateway::sim {
namespace {

constexpr std::string_view kConfiguration = R"(
[gateway]
session_address = "10.0.0.1:9000"
drain_timeout = "3s"
[limits]
head_timeout = "5s"
client_idle = "8s"
[[listen]]
address = "10.0.0.1:80"
[session.s]
secure = "never"
idle = "20h"
lane_wait = "2s"
inline_max = "300"
[service.shop]
instances = ["10.0.1.1:9001"]
timeout = { connect = "1s", response = "4s", idle = "5s" }
[[route]]
path = "/cart"
service = "shop"
session = "s"
[[route]]
path = "/again"
service = "shop"
session = "s"
replay = "re-execute"
[[route]]
path = "/plain"
service = "shop"
)";

constexpr Duration kLimit = 24 * 3600s;  // of a whole run: nothing may go on for ever
constexpr Duration kSettle = 120s;       // after the last client left: longer than any time-out

Address instance_address(unsigned i) { return {.host = fmt::format("10.0.1.{}", i + 1), .port = 9001}; }
Address door(unsigned i) { return {.host = fmt::format("10.0.0.{}", i + 1), .port = 80}; }

config::Config configuration_of(const Plan& plan, unsigned gateway, Bug bug) {
  static const config::Config base = configuration(kConfiguration);
  config::Config out = base;
  out.listen[0].address = door(gateway);
  out.gateway.session_address.host = door(gateway).host;
  upstream::ServiceOptions& shop = out.services[0];
  shop.instances.clear();
  for (unsigned i = 0; i < plan.instances; ++i) shop.instances.push_back(instance_address(i));
  shop.concurrency_per_instance = plan.concurrency;
  if (plan.serial)
    for (session::SessionOptions& s : out.sessions) s.lane = session::Lane::serial;
  if (plan.health) shop.health = upstream::HealthOptions{.interval = 2s};
  out.sessions[0].placement = plan.placement;
  if (bug == Bug::sent_twice)
    for (route::RouteOptions& r : out.routes) r.replay = route::Replay::reexecute;
  return out;
}

// One gateway process: what dies with it.
struct Process {
  Process(io::SimLoop& loop, io::SimHost& host, const WallClock& clock, Random& random, Random& chance,
          store::StateStore& durable, const StoreFaults& faults, const config::Config& config, Bug bug)
      : store(loop, chance, durable, faults),
        planted(store, bug, chance),
        gateway(Ground{loop, host, clock, random,
                       bug == Bug::none ? static_cast<store::StateStore&>(store) : planted},
                config) {}
  Store store;
  Planted planted;
  Gateway gateway;
  bool draining = false;
};

class World {
 public:
  World(std::uint64_t seed, Bug bug);
  Outcome run();
  void tell(bool on) { oracle_.tell(on); }

 private:
  struct Instance {
    explicit Instance(io::SimNetwork& network, unsigned i) : host(network, instance_address(i).host) {}
    io::SimHost host;
    std::unique_ptr<Shop> shop;
  };
  struct Front {
    explicit Front(io::SimNetwork& network, unsigned i) : host(network, door(i).host) {}
    io::SimHost host;
    config::Config config;
    std::unique_ptr<Process> process;
  };

  void start(Front& front);
  void count(const Process& process);
  io::Task<void> play();
  io::Task<void> blows();
  void strike(const Blow& blow);
  void leave_out(Front& front, std::optional<std::uint64_t> instance);
  io::Task<void> drain(Front& front, Duration away);
  void settle();
  Outcome outcome();

  const Plan plan_;
  const Bug bug_;
  ShopFaults shop_faults_;
  StoreFaults store_faults_;
  SeededRandom chance_;   // of the world
  SeededRandom secrets_;  // of the gateways
  io::SimLoop loop_;
  io::SimNetwork network_;
  io::SimClock clock_;
  store::MemoryStore durable_;
  Oracle oracle_;
  std::vector<std::unique_ptr<Instance>> instances_;
  std::vector<std::unique_ptr<Front>> fronts_;
  std::unique_ptr<io::SimHost> street_;
  std::vector<std::unique_ptr<Shopper>> shoppers_;
  bool finished_ = false;
  io::TaskGroup drains_;
  io::TaskGroup chaos_;
  io::TaskGroup tasks_;
};

World::World(std::uint64_t seed, Bug bug)
    : plan_(make_plan(seed)),
      bug_(bug),
      shop_faults_(plan_.shop),
      store_faults_(plan_.store),
      chance_(seed ^ 0x5deece66d),
      secrets_(~seed),
      loop_(chance_, plan_.network->faults),
      network_(loop_, chance_, plan_.network->faults),
      clock_(loop_),
      durable_(clock_, 1'000'000),
      oracle_(loop_, durable_, plan_.cookies) {
  std::vector<Address> doors;
  for (unsigned i = 0; i < plan_.instances; ++i) {
    auto instance = std::make_unique<Instance>(network_, i);
    instance->shop = std::make_unique<Shop>(
        loop_, instance->host, instance_address(i), fmt::format("shop-{}", i + 1), chance_, shop_faults_,
        bug_ == Bug::held_blindly ? Holding::blindly : plan_.holding, oracle_);
    instances_.push_back(std::move(instance));
  }
  for (unsigned i = 0; i < plan_.gateways; ++i) {
    doors.push_back(door(i));
    auto front = std::make_unique<Front>(network_, i);
    front->config = configuration_of(plan_, i, bug_);
    start(*front);
    fronts_.push_back(std::move(front));
  }
  street_ = std::make_unique<io::SimHost>(network_, "192.0.2.1");
  for (unsigned i = 0; i < plan_.shoppers; ++i)
    shoppers_.push_back(std::make_unique<Shopper>(loop_, *street_, doors, fmt::format("c{}", i), chance_,
                                                  oracle_, plan_.alone));
}

void World::start(Front& front) {
  if (front.process) return;
  front.process = std::make_unique<Process>(loop_, front.host, clock_, secrets_, chance_, durable_,
                                            store_faults_, front.config, bug_);
}

// Before it dies.
void World::count(const Process& process) {
  const gateway::Counters& c = process.gateway.counters();
  oracle_.tally("gateway: attempts beyond the first", c.retries);
  oracle_.tally("gateway: problems", c.problems);
  oracle_.tally("gateway: clients gone", c.client_gone);
  oracle_.tally("gateway: patches that overwrote", c.overlaps);
  oracle_.tally("gateway: exchanges run again", c.reruns);
  oracle_.tally("gateway: 503 lane-full", c.lane_refused);
  oracle_.tally("gateway: documents spared", c.documents_spared);
  oracle_.tally("gateway: documents needed", c.documents_needed);
  oracle_.tally("store: conflicts", process.store.conflicts());
  const session::Counts& counts = process.gateway.session_counts();
  const session::Moves moves = counts.of("s");
  oracle_.tally("sessions: into cookies", moves.to_client);
  oracle_.tally("sessions: into the store", moves.to_store);
  oracle_.tally("sessions: outgrew their cookies", moves.outgrown);
  oracle_.tally("sessions: moves put off", counts.unmoved);
  oracle_.tally("sessions: cookies that were behind", counts.stale);
}

io::Task<void> World::blows() {
  for (const Blow& blow : plan_.blows) {
    co_await io::SleepUntil(loop_, io::SimLoop::kStart + blow.at);
    strike(blow);
  }
}

void World::strike(const Blow& blow) {
  oracle_.note(blow_name(blow.kind));
  oracle_.tally(fmt::format("blow: {}", blow_name(blow.kind)));
  Front& front = *fronts_[blow.which % fronts_.size()];
  Instance& instance = *instances_[blow.which % instances_.size()];
  const TimePoint back = loop_.now() + blow.length;
  switch (blow.kind) {
    case Blow::Kind::kill_gateway:
      if (!front.process || front.process->draining) return;
      count(*front.process);
      front.process.reset();
      return loop_.at(back, [this, &front] { start(front); });
    case Blow::Kind::drain_gateway:
      if (!front.process || front.process->draining) return;
      front.process->draining = true;
      return drains_.spawn(drain(front, blow.length));
    case Blow::Kind::kill_instance:
      if (!instance.shop->running()) return;
      instance.shop->kill();
      return loop_.at(back, [&instance] { instance.shop->start(); });
    case Blow::Kind::vanish_instance:
      instance.host.vanish();
      return loop_.at(back, [&instance] { instance.host.reappear(); });
    case Blow::Kind::leave_out:
      for (const auto& f : fronts_) leave_out(*f, blow.which);
      return loop_.at(back, [this] {
        for (const auto& f : fronts_) leave_out(*f, std::nullopt);
      });
    case Blow::Kind::place:
      front.config.sessions[0].placement = placement_of(blow, plan_.cookies);
      if (front.process) front.process->gateway.reload(front.config);
      return;
    case Blow::Kind::jump_clock:
      return clock_.jump(std::chrono::duration_cast<std::chrono::milliseconds>(
          blow.which % 2 == 1 ? -blow.length : blow.length));
  }
}

// nullopt: nobody.
void World::leave_out(Front& front, std::optional<std::uint64_t> instance) {
  if (!front.process) return;
  upstream::ServiceOptions options = front.config.services[0];
  if (instance && options.instances.size() > 1)
    options.instances.erase(options.instances.begin() +
                            static_cast<std::ptrdiff_t>(*instance % options.instances.size()));
  front.process->gateway.service().reconfigure(std::move(options));
}

io::Task<void> World::drain(Front& front, Duration away) {
  co_await front.process->gateway.drain();
  if (const std::string left = front.process->gateway.leftovers(); !left.empty())
    oracle_.violation("a drained gateway has left: " + left);
  count(*front.process);
  front.process.reset();
  co_await io::sleep_for(loop_, away);
  start(front);
}

io::Task<void> World::play() {
  chaos_.spawn(blows());
  io::TaskGroup shopping;
  for (const auto& shopper : shoppers_) shopping.spawn(shopper->run(plan_.exchanges));
  co_await shopping.drained();
  co_await chaos_.drained();
  co_await drains_.drained();
  // From here on nothing fails: what was promised is looked for.
  network_.set_faults({});
  loop_.set_stalls(0, {});
  shop_faults_ = {};
  store_faults_ = {};
  for (const auto& front : fronts_)
    if (front->process) front->process->store.set_faults(store_faults_);
  co_await io::sleep_for(loop_, kSettle);
  for (const auto& shopper : shoppers_) co_await shopper->look_again();
  co_await io::sleep_for(loop_, kSettle);
  settle();
  finished_ = true;
  loop_.stop();
}

void World::settle() {
  for (const auto& front : fronts_) {
    if (!front->process) {
      oracle_.violation("a gateway did not come back");
      continue;
    }
    if (const std::string left = front->process->gateway.leftovers(); !left.empty())
      oracle_.violation("left when everybody has gone: " + left);
    if (const std::size_t idle = front->process->gateway.idle_connections(); idle > 0)
      oracle_.violation(fmt::format("{} connections idle for longer than they may", idle));
    if (front->process->store.pending() > 0) oracle_.violation("commits that never end");
  }
  for (const auto& shopper : shoppers_) shopper->show_cookie();
  oracle_.verify();
}

Outcome World::run() {
  tasks_.spawn(play());
  loop_.at(io::SimLoop::kStart + kLimit, [this] { loop_.stop(); });
  loop_.run();
  if (!finished_) oracle_.violation("the run did not end");
  return outcome();
}

Outcome World::outcome() {
  Outcome out;
  out.violations = oracle_.violations();
  out.plan = plan_.text();
  for (const auto& front : fronts_)
    if (front->process) count(*front->process);
  oracle_.tally("network: resets", network_.counters().resets);
  oracle_.tally("network: silences", network_.counters().silences);
  oracle_.tally("network: refused", network_.counters().refused);
  oracle_.tally("network: lost", network_.counters().lost);
  out.tally = oracle_.tally();
  const auto mix = [&out](std::uint64_t v) { out.digest = (out.digest ^ v) * 0x100000001b3; };
  for (const auto& shopper : shoppers_) {
    out.exchanges += shopper->sent();
    out.acknowledged += shopper->acknowledged();
    mix(shopper->acknowledged());
  }
  mix(loop_.turns());
  mix(static_cast<std::uint64_t>(loop_.now().time_since_epoch().count()));
  mix(network_.counters().octets);
  mix(network_.counters().connects);
  return out;
}

}  // namespace

std::string_view bug_name(Bug bug) {
  constexpr std::string_view kNames[] = {"none",
                                         "commit_after_response",
                                         "lost_on_conflict",
                                         "applied_twice",
                                         "wrong_document",
                                         "undead",
                                         "sent_twice",
                                         "hang",
                                         "held_blindly"};
  return kNames[static_cast<std::size_t>(bug)];
}

Outcome run_seed(std::uint64_t seed, Bug bug, bool tell) {
  World world(seed, bug);
  world.tell(tell);
  return world.run();
}

}  // namespace stateway::sim
