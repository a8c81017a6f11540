// lane = "serial" where two gateways share the store.
#include <gmock/gmock.h>

#include "session/two_gateways.h"

namespace stateway::session {
namespace {

class SharedTurns : public TwoGateways {
 protected:
  SharedTurns() {
    options.placement = Placement::store;
    options.lane = Lane::serial;
  }

  io::Task<void> begin() { (void)co_await exchange(browser, R"({"n":1})"); }

  /// A whole exchange in its turn: one more than it is given.
  io::Task<void> count(Sessions& at) {
    Slot slot = co_await open(at, browser.cookie);
    auto turn = co_await at.take_turn(loop, slot);
    EXPECT_TRUE(turn.has_value());
    EXPECT_EQ(++running, 1) << "another one has the turn";
    EXPECT_TRUE((co_await at.reload(loop, slot)).has_value());
    co_await io::sleep_for(loop, 0ms);  // the service is at work
    Browser same = browser;
    const std::string next = R"({"n":)" + std::to_string(slot.version + 1) + "}";
    EXPECT_TRUE((co_await answer(at, slot, same, next, Overlap::refuse)).has_value());
    --running;
    turn->end();
  }
  io::Task<void> both_count() {
    co_await begin();
    io::TaskGroup exchanges;
    for (int i = 0; i < 20; ++i) exchanges.spawn(count(i % 2 == 0 ? one : two));
    co_await exchanges.drained();
    EXPECT_EQ(co_await look(browser), R"({"n":21})");
  }
  io::Task<void> one_sleeps() {
    co_await begin();
    Slot slow = co_await open(one, browser.cookie);
    auto turn = co_await one.take_turn(loop, slow);
    EXPECT_TRUE(turn.has_value());
    clock.advance(std::chrono::duration_cast<std::chrono::milliseconds>(SharedTurn::kTtl));
    co_await count(two);
    Browser same = browser;
    const auto late = co_await answer(one, slow, same, R"({"late":true})");
    EXPECT_TRUE(!late && late.error().code == Code::lease_lost);
    EXPECT_EQ(co_await look(browser), R"({"n":2})");
  }
  io::Task<void> one_gives_up() {
    co_await begin();
    Slot waiting = co_await open(two, browser.cookie);
    {
      Slot slot = co_await open(one, browser.cookie);
      auto turn = co_await one.take_turn(loop, slot);
      options.lane_wait = std::chrono::milliseconds(1);
      const auto too_long = co_await two.take_turn(loop, waiting);
      EXPECT_TRUE(!too_long && too_long.error().code == Code::lane_full);
    }
    EXPECT_TRUE((co_await two.take_turn(loop, waiting)).has_value()) << "whoever goes without a commit";
  }
  io::Task<void> others_write_beside_it() {
    co_await begin();
    Slot slot = co_await open(one, browser.cookie);
    auto turn = co_await one.take_turn(loop, slot);
    Browser same = browser;
    (void)co_await exchange(two, same, R"({"safe":1})");  // of a safe exchange
    EXPECT_TRUE((co_await answer(one, slot, same, R"({"n":2})")).has_value());
    EXPECT_EQ(co_await look(browser), R"({"n":2,"safe":1})");
  }

  Browser browser;
  int running = 0;
};

TEST_F(SharedTurns, AreTakenOneByOneAcrossGateways) { run(both_count()); }
TEST_F(SharedTurns, OfAGatewayThatSleptTooLongAreLostAndItsCommitIsRefused) { run(one_sleeps()); }
TEST_F(SharedTurns, EndWithTheirExchangeWhetherItCommitsOrNot) { run(one_gives_up()); }
TEST_F(SharedTurns, KeepNobodyFromWritingWhoNeedsNone) { run(others_write_beside_it()); }

}  // namespace
}  // namespace stateway::session
