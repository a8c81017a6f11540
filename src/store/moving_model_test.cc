// Several gateways, some with both stores and some with the old one alone, whose calls reach the stores in
// any order: every order of two exchanges, and random orders of many.
#include <algorithm>
#include <charconv>
#include <functional>
#include <map>

#include "base/random.h"
#include "store/memory.h"
#include "store/moved_on.h"
#include "store/moving.h"
#include "store/steps.h"
#include "store/store_fixture.h"
#include "store/switch.h"

namespace stateway::store {
namespace {

constexpr std::uint64_t kMax = 1000;
const std::string kKey = "the session";

int number_in(const Record& record) {
  int number = 0;
  std::from_chars(record.value.data(), record.value.data() + record.value.size(), number);
  return number;
}

/// What clients know.
struct Ledger {
  int acknowledged = 0;  // additions
  int unknown = 0;       // additions whose gateway died
  int refused = 0;
  std::map<Revision, WallMillis> tried;  // when the record of this revision would expire, at the earliest
  Revision latest = 0;                   // that was acknowledged
  bool gone = false;                     // somebody was told that there is no such session
  bool came_back = false;                // and somebody after that was told otherwise

  void tries(Revision revision, WallMillis expires_at) {
    const auto [at, is_new] = tried.emplace(revision, expires_at);
    if (!is_new) at->second = std::min(at->second, expires_at);
  }
  /// Whether the record may have expired: the one acknowledged last, or one that may have come after it.
  bool may_be_over(WallMillis now) const {
    return std::any_of(tried.lower_bound(latest), tried.end(),
                       [now](const auto& entry) { return entry.second <= now; });
  }
};

struct World {
  ManualClock clock;
  io::EpollLoop loop;
  MemoryStore previous{clock, kMax};
  MemoryStore next{clock, kMax};
  Ledger ledger;
};

class Gateway {
 public:
  Gateway(World& world, bool knows_next, bool answers_late) : world_(world) {
    auto previous = std::make_shared<SteppedStore>(world.previous, steps, answers_late);
    previous->shared = true;
    auto next = std::make_shared<SteppedStore>(world.next, steps, answers_late);
    store_ = std::make_unique<Switch>(previous);
    previous_ = std::move(previous);
    next_ = std::move(next);
    if (knows_next) reload();
  }
  ~Gateway() { die(); }

  /// From now on it knows the next store, too: exchanges in flight go on.
  void reload() {
    if (!std::exchange(knows_next_, true))
      store_->use(std::make_shared<MovingStore>(next_, previous_, kMax, true));
  }
  void begin(WallMillis lifetime) { tasks_.spawn(add_one(world_, *store_, lifetime, committing_)); }
  void die() {
    world_.ledger.unknown += committing_;
    committing_ = 0;
    tasks_.cancel_all();
  }

  Steps steps;

 private:
  // An exchange: adds one to the number, again on every conflict.
  static io::Task<void> add_one(World& world, StateStore& store, WallMillis lifetime, int& committing) {
    Ledger& ledger = world.ledger;
    const auto refused = [&](const Error& error) {
      EXPECT_EQ(code_name(error.code), code_name(Code::store_unavailable));
      ++ledger.refused;
    };
    for (;;) {
      const bool was_gone = ledger.gone;
      auto loaded = co_await store.load(world.loop, kKey);
      if (!loaded) co_return refused(loaded.error());
      if (!*loaded) {
        EXPECT_TRUE(ledger.may_be_over(world.clock.now())) << "lost";
        ledger.gone = true;
        co_return;
      }
      ledger.came_back = ledger.came_back || was_gone;
      Record record = std::move(**loaded);
      record.value = std::to_string(number_in(record) + 1);
      ++record.revision;
      record.expires_at = world.clock.now() + lifetime;
      const Revision revision = record.revision;
      ledger.tries(revision, record.expires_at);
      auto batch = one_write(kKey, revision - 1, std::move(record));
      ++committing;
      const auto committed = co_await store.commit(world.loop, std::move(batch));
      --committing;
      if (committed) {
        ++ledger.acknowledged;
        ledger.latest = std::max(ledger.latest, revision);
        co_return;
      }
      if (committed.error().code != Code::conflict) co_return refused(committed.error());
    }
  }

  World& world_;
  std::shared_ptr<SteppedStore> previous_, next_;
  std::unique_ptr<Switch> store_;
  bool knows_next_ = false;
  int committing_ = 0;
  io::TaskGroup tasks_;
};

void put_first(World& world, WallMillis lifetime) {
  struct Put {
    static io::Task<void> run(World& world, WallMillis lifetime) {
      auto batch = one_write(kKey, 0, live(7, world.clock.now() + lifetime, "0", "ann"));
      EXPECT_TRUE(co_await world.previous.commit(world.loop, std::move(batch)));
    }
  };
  io::TaskGroup tasks;
  tasks.spawn(Put::run(world, lifetime));
  world.ledger.tries(7, world.clock.now() + lifetime);
  world.ledger.latest = 7;
}

/// What a gateway with both stores finds in the end.
std::optional<Record> find(World& world) {
  struct Load {
    static io::Task<void> run(World& world, StateStore& store, std::optional<Record>& out) {
      out = (co_await store.load(world.loop, kKey)).value();
    }
  };
  const auto not_owned = [](StateStore& store) { return std::shared_ptr<StateStore>(&store, [](auto*) {}); };
  MovingStore store(not_owned(world.next), not_owned(world.previous), kMax);
  std::optional<Record> out;
  io::TaskGroup tasks;
  tasks.spawn(Load::run(world, store, out));
  return out;
}

void expect_nothing_lost(World& world) {
  const Ledger& ledger = world.ledger;
  const auto record = find(world);
  EXPECT_FALSE(ledger.came_back) << "after it had expired";
  if (ledger.gone) {
    EXPECT_EQ(record, std::nullopt) << "it came back";
    return;
  }
  if (!record) {
    EXPECT_TRUE(ledger.may_be_over(world.clock.now())) << "lost";
    return;
  }
  EXPECT_GE(number_in(*record), ledger.acknowledged);
  EXPECT_LE(number_in(*record), ledger.acknowledged + ledger.unknown);
  EXPECT_EQ(record->principal, "ann");
}

/// Calls `choose(n)` for a number below n at each step; runs `story` again and again until all have been
/// chosen. Returns how many runs that were.
int every_order(const std::function<void(const std::function<std::size_t(std::size_t)>&)>& story) {
  struct Choice {
    std::size_t chosen, of;
  };
  std::vector<Choice> choices;
  for (int runs = 1;; ++runs) {
    std::size_t at = 0;
    story([&](std::size_t n) {
      if (at == choices.size()) choices.push_back({0, n});
      CHECK(choices[at].of == n);
      return choices[at++].chosen;
    });
    while (!choices.empty() && choices.back().chosen + 1 == choices.back().of) choices.pop_back();
    if (choices.empty()) return runs;
    ++choices.back().chosen;
  }
}

/// Lets one waiting call of any gateway go on; false when none waits.
bool one_step(const std::vector<Gateway*>& gateways, const std::function<std::size_t(std::size_t)>& choose) {
  std::vector<std::pair<Steps*, std::size_t>> ready;
  for (Gateway* gateway : gateways)
    for (std::size_t i = 0; i < gateway->steps.waiting(); ++i) ready.emplace_back(&gateway->steps, i);
  if (ready.empty()) return false;
  const auto [steps, which] = ready[ready.size() == 1 ? 0 : choose(ready.size())];
  steps->release(which);
  return true;
}

TEST(MovingModel, EveryOrderOfTwoGatewaysThatMoveTheSameSession) {
  const int runs = every_order([](const auto& choose) {
    World world;
    put_first(world, 1000);
    Gateway a(world, true, false), b(world, true, false);
    a.begin(1000);
    b.begin(1000);
    while (one_step({&a, &b}, choose)) {
    }
    EXPECT_EQ(world.ledger.acknowledged, 2);
    expect_nothing_lost(world);
  });
  EXPECT_GT(runs, 900);
}

TEST(MovingModel, EveryOrderWithAGatewayThatKnowsTheOldStoreAlone) {
  const int runs = every_order([](const auto& choose) {
    World world;
    put_first(world, 1000);
    Gateway moves(world, true, false), knows_old(world, false, false);
    moves.begin(1000);
    knows_old.begin(1000);
    while (one_step({&moves, &knows_old}, choose)) {
    }
    EXPECT_EQ(world.ledger.acknowledged + world.ledger.refused, 2);
    expect_nothing_lost(world);
  });
  EXPECT_GT(runs, 20);
}

// An exchange that began before the reload, whose call is anywhere when it comes, and one after it.
TEST(MovingModel, EveryOrderOfAReloadUnderAnExchange) {
  const int runs = every_order([](const auto& choose) {
    World world;
    put_first(world, 1000);
    Gateway gateway(world, false, false);
    gateway.begin(1000);
    const std::size_t reload_at = choose(3);
    for (std::size_t i = 0;; ++i) {
      if (i == reload_at) {
        gateway.reload();
        gateway.begin(1000);
      }
      if (!one_step({&gateway}, choose) && i >= reload_at) break;
    }
    EXPECT_EQ(world.ledger.acknowledged, 2) << "each of them is served";
    expect_nothing_lost(world);
  });
  EXPECT_GT(runs, 100);
}

TEST(MovingModel, RandomGatewaysThatDieReloadAndSleep) {
  int refused = 0, acknowledged = 0, unknown = 0, gone = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    const auto choose = [&](std::size_t n) { return static_cast<std::size_t>(random.u64() % n); };
    World world;
    put_first(world, 1000);
    std::vector<std::unique_ptr<Gateway>> gateways;
    const auto start = [&] { gateways.push_back(std::make_unique<Gateway>(world, choose(3) > 0, true)); };
    const auto all = [&] {
      std::vector<Gateway*> out;
      for (const auto& gateway : gateways) out.push_back(gateway.get());
      return out;
    };
    start();
    start();
    for (int step = 0; step < 200; ++step) {
      const std::size_t which = choose(gateways.size());
      switch (choose(24)) {
        case 0:
          gateways.erase(gateways.begin() + static_cast<std::ptrdiff_t>(which));
          start();
          break;
        case 1:
          if (gateways.size() < 4) start();
          break;
        case 2:
          gateways[which]->reload();
          break;
        case 3:
          // The store's calls end, one way or another, long before a session does.
          for (const auto& gateway : gateways)
            if (choose(2) == 0) gateway->die();
          while (one_step(all(), choose)) {
          }
          world.clock.advance(std::chrono::milliseconds(choose(300)));
          break;
        case 4:
        case 5:
          gateways[which]->begin(choose(2) == 0 ? 1000 : 300);
          break;
        default:
          one_step(all(), choose);
      }
    }
    gateways.clear();
    expect_nothing_lost(world);
    refused += world.ledger.refused;
    acknowledged += world.ledger.acknowledged;
    unknown += world.ledger.unknown;
    gone += world.ledger.gone ? 1 : 0;
  }
  EXPECT_GT(refused, 100);
  EXPECT_GT(acknowledged, 1000);
  EXPECT_GT(unknown, 100);
  EXPECT_GT(gone, 10);
}

}  // namespace
}  // namespace stateway::store
