// A store that has a commit, on fewer servers than it should.
#include <gmock/gmock.h>

#include "session/two_gateways.h"

namespace stateway::session {
namespace {

/// Commits are applied, and the replicas do not confirm.
class Alone final : public store::StateStore {
 public:
  explicit Alone(store::StateStore& inner) : inner_(inner) {}

  io::Task<Result<std::optional<store::Record>>> load(io::Loop& loop, std::string key) override {
    return inner_.load(loop, std::move(key));
  }
  io::Task<Result<store::Committed>> commit(io::Loop& loop, store::Batch batch) override {
    auto committed = co_await inner_.commit(loop, std::move(batch));
    if (committed && alone) co_return fail(Code::not_durable, Side::store);
    co_return committed;
  }
  void touch(io::Loop& loop, std::string_view key, WallMillis at) override { inner_.touch(loop, key, at); }
  io::Task<Result<std::vector<store::Entry>>> list(io::Loop& loop, store::Query query) override {
    return inner_.list(loop, std::move(query));
  }
  io::Task<Result<std::size_t>> sweep(io::Loop& loop, std::size_t most) override {
    return inner_.sweep(loop, most);
  }
  store::Stats stats() const override { return inner_.stats(); }
  void set_sessions_max(std::uint64_t most) override { inner_.set_sessions_max(most); }

  bool alone = false;

 private:
  store::StateStore& inner_;
};

class NotDurable : public TwoGateways, public testing::WithParamInterface<Placement> {
 protected:
  NotDurable() { options.placement = GetParam(); }

  /// What the client is told with the error, and what it then has.
  io::Task<void> refused(Browser& browser, bool log_in, std::string patch) {
    store_.alone = true;
    Slot slot = co_await open(at_, browser.cookie);
    slot.renew = log_in;
    const auto answered = co_await answer(at_, slot, browser, std::move(patch));
    EXPECT_TRUE(!answered && answered.error().code == Code::not_durable);
    store_.alone = false;
  }
  io::Task<void> logs_in() {
    Browser browser;
    (void)co_await exchange(at_, browser, R"({"cart":["paid"]})");
    const Browser before = browser;
    co_await refused(browser, true, "");
    EXPECT_NE(browser.cookie, before.cookie);
    EXPECT_EQ(co_await exchange(at_, browser, ""), R"({"cart":["paid"]})");
    Browser old = before;
    EXPECT_EQ(co_await exchange(at_, old, ""), "{}") << "the old secret opens nothing";
  }
  io::Task<void> begins() {
    Browser browser;
    if (GetParam() == Placement::client) co_return;  // that needs no store
    co_await refused(browser, false, R"({"n":1})");
    EXPECT_EQ(co_await exchange(at_, browser, R"({"m":1})"), R"({"n":1})");
    EXPECT_EQ(co_await exchange(at_, browser, ""), R"({"n":1,"m":1})");
  }

  Alone store_{store};
  Sessions at_{store_, keys, clock, random};
};

TEST_P(NotDurable, ALogInKeepsItsSession) { run(logs_in()); }
TEST_P(NotDurable, ASessionThatBeginsIsTheClients) { run(begins()); }

INSTANTIATE_TEST_SUITE_P(Placements, NotDurable, testing::Values(Placement::store, Placement::client));

}  // namespace
}  // namespace stateway::session
