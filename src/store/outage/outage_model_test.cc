// Two gateways, a server and everything that may happen to them, drawn from a seed: nothing acknowledged is
// lost but what on_conflict says, and no ended session lives again.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "store/outage/outage_fixture.h"

namespace stateway::store::outage {
namespace {

constexpr unsigned kSeeds = 15;
constexpr int kSteps = 60;

class OutageModel : public OutageTest {
 protected:
  struct World {
    OnConflict policy = OnConflict::journal;
    bool overlaps = false;  // lines of both gateways begin alike
  };
  void SetUp() override {}

  void play(unsigned seed, const World& world);

 private:
  std::size_t draw(std::size_t n) { return drawn_->below(n); }
  void tell(const std::string& what) { told_ += "\n  " + what; }
  void step(Gateway& gateway, const std::string& key);
  void write(Gateway& gateway, const std::string& key);
  void restart(Gateway& gateway);
  std::uint64_t missing(const std::string& key);
  std::uint64_t missing();
  void check(const std::string& key, bool may_drop);

  std::optional<SeededRandom> drawn_;
  World world_;
  std::string told_;
  std::map<std::string, std::set<std::string>> acknowledged_;  // lines by key
  std::set<std::string> ended_;
  std::vector<Entry> old_;
  std::uint64_t dropped_ = 0;  // by stores that were closed
  unsigned lines_ = 0, starts_ = 0;
  std::map<Gateway*, std::uint64_t> ids_;
};

void OutageModel::write(Gateway& gateway, const std::string& key) {
  const char first = world_.overlaps ? 'x' : &gateway == &one_ ? 'a' : 'b';
  const std::string line = first + std::to_string(++lines_) + ";";
  const auto base = load(gateway, key);
  if (!base || (*base && (*base)->state == State::ended)) return;
  if (*base && draw(8) == 0) step(gateway, "s" + std::to_string(draw(4)));  // meanwhile
  Batch batch = adding(key, *base, line);
  batch.id.gateway = ids_[&gateway];
  const auto committed = commit(gateway, std::move(batch));
  tell(gateway.folder + " " + std::to_string(ids_[&gateway]) + ":" + std::to_string(sequence_) + " adds " +
       line + " to " + key + ": " +
       (!committed         ? std::string(code_name(committed.error().code))
        : committed->local ? "local"
                           : "stored"));
  if (committed) acknowledged_[key].insert(line);
}

void OutageModel::restart(Gateway& gateway) {
  if (gateway.store) dropped_ += stats(gateway).dropped;
  close(gateway);
  open(gateway, world_.policy);
  ids_[&gateway] = ++starts_;
}

void OutageModel::step(Gateway& gateway, const std::string& key) {
  constexpr Line kLines[] = {Line::works, Line::works, Line::works, Line::fails, Line::loses_answers};
  switch (draw(16)) {
    case 0:
      tell(gateway.folder + " ends " + key);
      if (const std::string how = end(gateway, key); how == "local" || how == "stored") ended_.insert(key);
      break;
    case 1:
    case 2:
    case 3:
      gateway.line = kLines[draw(std::size(kLines))];
      tell(gateway.folder + " has line " + std::to_string(static_cast<int>(gateway.line.load())));
      break;
    case 4:
      restart(gateway);
      tell(gateway.folder + " restarts: " + std::to_string(stats(gateway).pending) + " pending, " +
           std::to_string(stats(gateway).kept) + " kept");
      break;
    case 5:
      old_ = snapshot();
      tell("snapshot");
      break;
    case 6:
      tell("the server is as it was at the last snapshot");
      fail_over(old_);
      break;
    default:
      write(gateway, key);
  }
}

std::uint64_t OutageModel::missing(const std::string& key) {
  if (ended_.contains(key)) return 0;
  std::uint64_t n = 0;
  const std::string lines = in_store(key);
  for (const std::string& line : acknowledged_[key]) n += lines.contains(line) ? 0 : 1;
  return n;
}

std::uint64_t OutageModel::missing() {
  std::uint64_t n = 0;
  for (const auto& [key, lines] : acknowledged_) n += missing(key);
  return n;
}

void OutageModel::check(const std::string& key, bool may_drop) {
  const auto now = [&] { return in_store(key); };
  tell(key + " is at first " + now());
  if (ended_.contains(key)) {
    tell("it was ended");
    eventually([&] { return now() == "ended"; });
    EXPECT_EQ(see(one_, key), "ended");
    return;
  }
  if (!may_drop) eventually([&] { return missing(key) == 0; });
  const std::string lines = now();
  for (const std::string& line : acknowledged_[key]) {
    const std::size_t at = lines.find(line);
    EXPECT_TRUE(at == std::string::npos || lines.find(line, at + 1) == std::string::npos)
        << line << " twice in " << lines;
  }
}

void OutageModel::play(unsigned seed, const World& world) {
  drawn_.emplace(seed);
  world_ = world;
  restart(one_);
  restart(two_);
  old_ = snapshot();
  for (int i = 0; i < kSteps && !HasFatalFailure(); ++i)
    step(draw(2) == 0 ? one_ : two_, "s" + std::to_string(draw(4)));
  one_.line = two_.line = Line::works;
  until_settled(one_);
  until_settled(two_);
  const bool may_drop = world.overlaps && world.policy == OnConflict::store;
  for (const auto& [key, lines] : acknowledged_) check(key, may_drop);
  // What the server lost is applied again in the background.
  if (may_drop) eventually([&] { return missing() <= dropped_ + stats(one_).dropped + stats(two_).dropped; });
  if (HasFailure()) ADD_FAILURE() << "seed " << seed << ":" << told_;
}

class OutageModelOf : public OutageModel, public testing::WithParamInterface<unsigned> {};

TEST_P(OutageModelOf, InOtherPlaces) { play(GetParam(), {}); }
TEST_P(OutageModelOf, InOtherPlacesWhereTheStoreWins) { play(GetParam(), {.policy = OnConflict::store}); }
TEST_P(OutageModelOf, InTheSamePlaces) { play(GetParam(), {.overlaps = true}); }
TEST_P(OutageModelOf, InTheSamePlacesWhereTheStoreWins) {
  play(GetParam(), {.policy = OnConflict::store, .overlaps = true});
}
INSTANTIATE_TEST_SUITE_P(Seeds, OutageModelOf, testing::Range(0u, kSeeds));

}  // namespace
}  // namespace stateway::store::outage
