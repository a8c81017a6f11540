// Reloads under load: no request fails and no session is lost.
#include <fmt/format.h>

#include "cart_load.h"
#include "lab/program.h"

namespace stateway::scenario {
namespace {

constexpr std::string_view kFrame = R"([gateway]
debug_headers = true
[log]
access = false
[[listen]]
address = "@CLIENTS@"
[admin]
address = "@ADMIN@"
[store]
path = "@DIR@/state"
durability = "sync"
[[route]]
path = "/"
service = "shop"
session = "cart"
[session.cart]
)";

class ReloadLoad : public Site {
 protected:
  void start_cart(const std::string& name) {
    const std::string path = folder / name;
    auto started =
        lab::Program::start({.words = {cart_binary()},
                             .environment = {{"SOCKET", path}, {"CART_JOURNAL", folder / "journal"}},
                             .output_file = folder / "carts"});
    ASSERT_TRUE(started.has_value());
    carts_.push_back(std::move(*started));
    eventually([&] { return Raw(parse_address("unix:" + path).value()).connected(); });
  }

  // What the n-th configuration is.
  using Variant = std::string (*)(unsigned n);

  // Until the load ends.
  io::Task<void> keep_reloading(Variant variant) {
    for (unsigned n = 1;; ++n) {
      write_config(variant(n));
      co_await reload_once();
    }
  }

  void run(Variant variant, unsigned reloads_least) {
    for (const char* name : {"a", "b", "c", "d"}) start_cart(name);
    start(variant(0));
    lab::LoadOptions options = cart_load(gateway->clients());
    options.duration = std::chrono::seconds(setting("STATEWAY_SCENARIO_SECONDS", 12));
    load = std::make_unique<lab::Load>(lab.loop, lab.network, options, workload);
    const lab::LoadReport report = play(lab, *load, keep_reloading(variant));
    std::cout << reloads << " reloads, the slowest took "
              << std::chrono::duration_cast<std::chrono::milliseconds>(slowest).count() << " ms\n";
    EXPECT_GE(reloads, reloads_least);
    EXPECT_EQ(report.ok, report.turns()) << testing::PrintToString(workload.refusals());
    expect_carts_as_promised(gateway->clients(), *load, options.clients, workload);
    EXPECT_EQ(expect_each_change_arrived_once(lab::read_file(folder / "journal")), report.turns());
  }

  Lab lab;
  CartWorkload workload;
  std::unique_ptr<lab::Load> load;
  unsigned reloads = 0;
  Duration slowest{};

 private:
  io::Task<void> reload_once() {
    const TimePoint begun = lab.loop.now();
    co_await reload_by(lab, gateway->admin());
    slowest = std::max(slowest, lab.loop.now() - begun);
    ++reloads;
  }

  std::vector<std::unique_ptr<lab::Program>> carts_;
};

std::string at(std::string_view a, std::string_view b) {
  return fmt::format(R"([service.shop]
instances = ["unix:@DIR@/{}", "unix:@DIR@/{}"]
health = {{ path = "/healthz", interval = "100ms", timeout = "2s", rise = 1 }}
timeout = {{ connect = "10s" }}
)",
                     a, b);
}

// The list changes by one instance, and by all; and other things change beside it.
std::string other_instances(unsigned n) {
  constexpr std::string_view kLists[][2] = {{"a", "b"}, {"b", "c"}, {"c", "d"}, {"a", "b"}, {"d", "c"}};
  const auto& list = kLists[n % std::size(kLists)];
  std::string out = fmt::format("{}idle = \"{}m\"\n{}", kFrame, 30 + n % 3, at(list[0], list[1]));
  if (n % 2 == 1)
    out += R"([[listen]]
address = "unix:@DIR@/door"
[service.extra]
instances = ["unix:@DIR@/a"]
[[route]]
path = "/extra"
service = "extra"
)";
  return out;
}

TEST_F(ReloadLoad, FiftyTimesWithAnotherInstanceListNoRequestFailsAndNoSessionIsLost) {
  run(other_instances, 50);
}

// The gateway's own processes take the place of fixed addresses, and the other way round.
std::string other_kind(unsigned n) {
  const std::string supervised = R"([service.shop]
command = ["@CART@"]
count = 2
socket = true
health = { path = "/healthz", interval = "100ms", timeout = "2s", rise = 1 }
timeout = { connect = "10s" }
)";
  return fmt::format("{}{}", kFrame, n % 2 == 0 ? at("a", "b") : supervised);
}

class ReloadKind : public ReloadLoad {};

TEST_F(ReloadKind, ACommandTakesThePlaceOfAddressesAndBackAndNoRequestFails) {
  run(other_kind, 4);  // each waits for processes to come up
}

}  // namespace
}  // namespace stateway::scenario
