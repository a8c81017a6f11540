// The placement is switched under load, again and again, while instances are killed: no request fails, and no
// client misses anything it was promised or sees anything of another.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "cart_load.h"

namespace stateway::scenario {
namespace {

constexpr const char* kCycle[] = {"client", "store", "hybrid", "store"};

/// Clients that count: each turn puts one more of an item of the client's own into its cart, and the answer
/// must be one more than the last one said. Every fifth client has so many items that no cookie holds them
/// when the load is long.
class CountingWorkload final : public lab::Workload {
 public:
  explicit CountingWorkload(unsigned clients) : counts_(clients), done_(clients) {}

  wire::ClientRequest make(const lab::Turn& turn) override {
    wire::ClientRequest request;
    request.method = "POST";
    request.target = "/api/cart/items";
    request.fields = {{"Content-Type", "application/json"}};
    request.body = fmt::format(R"({{"id":"{}","name":"of client {}"}})", item(turn), turn.client);
    return request;
  }

  void done(const lab::Turn& turn, const lab::Outcome& outcome) override {
    ++done_[turn.client];
    const wire::ClientResponse* answer = outcome.response;
    if (answer == nullptr || answer->status != 201) {
      ADD_FAILURE() << "client " << turn.client << ", turn " << turn.sequence << ": "
                    << (answer == nullptr ? outcome.error->context
                                          : fmt::format("{} {}", answer->status, answer->body));
      return;
    }
    const std::int64_t expected = ++counts_[turn.client][item(turn)];
    const std::string body = fmt::format(R"({{"name":"of client {}","n":{}}})", turn.client, expected);
    EXPECT_EQ(answer->body, body + "\n") << "client " << turn.client << ", turn " << turn.sequence;
  }

  /// Turns of the client with the fewest.
  std::uint64_t fewest_done() const { return *std::ranges::min_element(done_); }

  /// What the client's cart must hold, and nothing else.
  const std::map<std::string, std::int64_t>& counts(unsigned client) const { return counts_[client]; }

 private:
  static std::string item(const lab::Turn& turn) {
    const std::uint64_t items = turn.client % 5 == 0 ? 60 : 3;
    return fmt::format("c{}-{}", turn.client, turn.sequence % items);
  }

  std::vector<std::map<std::string, std::int64_t>> counts_;
  std::vector<std::uint64_t> done_;
};

class SwitchingLoad : public Site {
 protected:
  void run() {
    options_ = cart_load(gateway->clients());
    options_.clients = 200;
    options_.duration = std::chrono::seconds(setting("STATEWAY_SCENARIO_SECONDS", 9));
    workload_ = std::make_unique<CountingWorkload>(options_.clients);
    load_ = std::make_unique<lab::Load>(lab_.loop, lab_.network, options_, *workload_);
    lab::ServiceTargets targets(lab_.loop, lab_.network, gateway->admin(), "shop");
    SeededRandom random(setting("STATEWAY_SCENARIO_SEED", 1));
    // Frozen for a moment before it dies: so each kill finds requests that were sent and not answered.
    lab::Killer killer(
        lab_.loop, targets, random,
        {.every = std::chrono::milliseconds(setting("STATEWAY_SCENARIO_KILL_MS", 700)), .freeze = 50ms});
    const lab::LoadReport report = play(lab_, *load_, switch_and_kill(killer));
    std::cout << fmt::format("{} switches, {} kills\n", switches_, killer.kills());
    EXPECT_GE(switches_, 4u);
    EXPECT_GE(killer.kills(), 4u);
    EXPECT_EQ(report.ok, report.turns());
    expect_carts();
  }

 private:
  io::Task<void> switch_and_kill(lab::Killer& killer) {
    io::TaskGroup killing;
    killing.spawn(killer.run());
    for (;;) {
      const char* placement = kCycle[++switches_ % std::size(kCycle)];
      write_config(cart_config({.replay = "re-execute", .placement = placement}));
      co_await reload_by(lab_, gateway->admin());
      co_await until_everybody_was_served_twice();
      expect_cookies_of(placement);
    }
  }

  // The first of the two may have begun before the switch; the second has moved its session.
  io::Task<void> until_everybody_was_served_twice() {
    const std::uint64_t before = workload_->fewest_done();
    while (workload_->fewest_done() < before + 2)
      // tidy: sleep: the load runs meanwhile.
      co_await io::sleep_for(lab_.loop, 10ms);
  }

  void expect_cookies_of(std::string_view placement) {
    for (unsigned i = 0; i < options_.clients; ++i) {
      const std::string_view cookie = load_->cookies(i).value("cart");
      const bool ticket = cookie.find('.') != std::string_view::npos;
      EXPECT_FALSE(cookie.empty());
      if (placement != "client") EXPECT_TRUE(ticket) << "client " << i << " was not moved to " << placement;
      if (placement == "client" && i % 5 != 0) EXPECT_FALSE(ticket) << "client " << i << " was not moved";
    }
  }

  void expect_carts() {
    for (unsigned client = 0; client < options_.clients; ++client) {
      const Reply reply = get("/api/cart", fmt::format("Cookie: {}\r\n", load_->cookies(client).header()));
      ASSERT_EQ(reply.status, 200) << reply.body;
      std::map<std::string, std::int64_t> found;
      for (const auto& [id, item] : boost::json::parse(reply.body).at("items").as_object())
        found[std::string(id)] = item.at("n").as_int64();
      EXPECT_EQ(found, workload_->counts(client)) << "client " << client;
    }
  }

  Lab lab_;
  lab::LoadOptions options_;
  std::unique_ptr<CountingWorkload> workload_;
  std::unique_ptr<lab::Load> load_;
  unsigned switches_ = 0;
};

TEST_F(SwitchingLoad, NoAcknowledgedIncrementIsMissingAndNoRequestFails) {
  start(cart_config({.replay = "re-execute", .placement = kCycle[0]}));
  wait_until_all_are_up();
  run();
}

}  // namespace
}  // namespace stateway::scenario
