#include "cart_load.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <set>

#include "io/test_loop.h"
#include "wire/client.h"

namespace stateway::scenario {
namespace {

std::string session_of(unsigned client) { return fmt::format("client {}", client); }
std::string item_of(const lab::Turn& turn) { return fmt::format("c{}-{}", turn.client, turn.sequence); }

io::Task<void> run_load(lab::Load& load, lab::LoadReport& out) { out = co_await load.run(); }

// The items of a cart's answer, each as often as it was added.
std::vector<std::string> items_in(const std::string& body) {
  std::vector<std::string> out;
  boost::json::error_code wrong;
  const boost::json::value cart = boost::json::parse(body, wrong);
  EXPECT_FALSE(wrong) << body;
  if (wrong) return out;
  for (const auto& [id, item] : cart.at("items").as_object())
    for (std::int64_t n = item.at("n").as_int64(); n > 0; --n) out.emplace_back(id);
  return out;
}

}  // namespace

wire::ClientRequest CartWorkload::make(const lab::Turn& turn) {
  wire::ClientRequest request;
  request.method = "POST";
  request.target = "/api/cart/items";
  request.fields = {{"Content-Type", "application/json"}};
  request.body = fmt::format(R"({{"id":"{}","name":"x"}})", item_of(turn));
  return request;
}

void CartWorkload::done(const lab::Turn& turn, const lab::Outcome& outcome) {
  using Fate = lab::Outcome::Fate;
  lab::Write write = outcome.fate == Fate::indeterminate ? lab::Write::indeterminate : lab::Write::refused;
  if (outcome.fate == Fate::answered && outcome.response->status < 300) {
    write = lab::Write::acknowledged;
    acknowledged_[item_of(turn)] = turn.intended + outcome.latency;
  } else if (outcome.fate == Fate::answered) {
    Reply reply{.status = outcome.response->status,
                .fields = outcome.response->fields,
                .body = outcome.response->body};
    ++refusals_[fmt::format("{} {}", reply.status, reply.problem())];
    if (unknown_.contains(reply.problem())) write = lab::Write::indeterminate;
  }
  ledger_.record(session_of(turn.client), item_of(turn), write);
}

lab::LoadOptions cart_load(const Address& target) {
  return {.target = target,
          .clients = 64,
          .rate = static_cast<double>(setting("STATEWAY_SCENARIO_RATE", is_sanitized() ? 250 : 1000)),
          .duration = std::chrono::seconds(setting("STATEWAY_SCENARIO_SECONDS", 6))};
}

lab::LoadReport play(Lab& lab, lab::Load& load, io::Task<void> faults) {
  lab::LoadReport report;
  io::TaskGroup meanwhile;
  meanwhile.spawn(std::move(faults));
  io::run_until_done(lab.loop, run_load(load, report), std::chrono::minutes(5));
  meanwhile.cancel_all();
  std::cout << report.text() << "\n";
  return report;
}

io::Task<void> reload_by(Lab& lab, Address admin) {
  auto stream = co_await lab.network.connect(admin, lab.loop.now() + 5s);
  EXPECT_TRUE(stream.has_value());
  if (!stream) co_return;
  wire::Client client(std::move(*stream), {});
  const std::string host = to_string(admin);
  const wire::ClientRequest request{.method = "POST",
                                    .target = "/v1/reload",
                                    .host = host,
                                    .fields = {{"Content-Type", "application/json"}}};
  const auto response = co_await client.exchange(request, lab.loop.now() + 30s);
  EXPECT_TRUE(response.has_value() && response->status == 200) << (response ? response->body : "");
}

io::Task<void> kill_again_and_again(Lab& lab, lab::GatewayProcess& gateway, std::function<void()> restart,
                                    std::uint64_t rounds, std::uint64_t& done) {
  for (done = 0; done < rounds; ++done) {
    // tidy: sleep: the load runs meanwhile.
    co_await io::sleep_for(lab.loop, 700ms);
    gateway.kill();
    restart();
    const auto ready = co_await gateway.ready(lab.loop, lab.network, lab.loop.now() + 30s);
    EXPECT_TRUE(ready.has_value());
    if (!ready) co_return;
  }
}

std::vector<std::string> missing_items(const Address& clients, const lab::Load& load, unsigned count,
                                       const CartWorkload& workload) {
  std::size_t found = 0;
  std::vector<std::string> missing;
  for (unsigned client = 0; client < count; ++client) {
    const std::string cookies = load.cookies(client).header();
    std::vector<std::string> observed;
    if (!cookies.empty()) {
      Raw raw(clients);
      const Reply cart =
          raw.ask(fmt::format("GET /api/cart HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nConnection: close\r\n\r\n",
                              to_string(clients), cookies));
      EXPECT_EQ(cart.status, 200) << cart.body;
      observed = items_in(cart.body);
    }
    found += observed.size();
    lab::Findings findings = workload.ledger().verify(session_of(client), observed);
    missing.insert(missing.end(), findings.missing.begin(), findings.missing.end());
    findings.missing.clear();
    EXPECT_TRUE(findings.clean()) << session_of(client) << ": " << findings.text();
  }
  std::cout << fmt::format("{} items found: {} acknowledged, {} indeterminate, {} refused\n", found,
                           workload.ledger().count(lab::Write::acknowledged),
                           workload.ledger().count(lab::Write::indeterminate),
                           workload.ledger().count(lab::Write::refused));
  return missing;
}

void expect_carts_as_promised(const Address& clients, const lab::Load& load, unsigned count,
                              const CartWorkload& workload) {
  EXPECT_THAT(missing_items(clients, load, count, workload), testing::IsEmpty());
}

std::size_t expect_each_change_arrived_once(const std::string& journal) {
  std::set<std::string> ids, items;
  std::size_t lines = 0;
  for (std::string_view rest = journal; rest.find('\n') != std::string_view::npos; ++lines) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    const std::string_view id = line.substr(0, line.find(' '));
    EXPECT_FALSE(id.empty()) << "a request without X-Request-Id: " << line;
    EXPECT_TRUE(ids.emplace(id).second) << "arrived twice: " << line;
    EXPECT_TRUE(items.emplace(line.substr(id.size())).second) << "arrived twice: " << line;
  }
  return lines;
}

}  // namespace stateway::scenario
