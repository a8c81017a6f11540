// Clients that fill carts under load, and the proof of what became of every item.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "io/sockets.h"
#include "lab/faults.h"
#include "lab/ledger.h"
#include "lab/load.h"
#include "site.h"

namespace stateway::scenario {

/// Each turn adds one item with an id nobody else uses. What the answer says goes into the ledger, by client.
class CartWorkload final : public lab::Workload {
 public:
  /// Answers with the problems `unknown` say as little as none: the change may be there or not.
  explicit CartWorkload(std::set<std::string> unknown = {"outcome-unknown"}) : unknown_(std::move(unknown)) {}
  wire::ClientRequest make(const lab::Turn& turn) override;
  void done(const lab::Turn& turn, const lab::Outcome& outcome) override;

  const lab::Ledger& ledger() const { return ledger_; }
  /// When the client had the answer that the item is in its cart.
  TimePoint acknowledged_at(const std::string& item) const { return acknowledged_.at(item); }
  /// Answers other than success: "502 outcome-unknown" and how often.
  const std::map<std::string, std::uint64_t>& refusals() const { return refusals_; }

 private:
  std::set<std::string> unknown_;
  lab::Ledger ledger_;
  std::map<std::string, TimePoint> acknowledged_;
  std::map<std::string, std::uint64_t> refusals_;
};

/// What a load needs to run: a loop of its own, which can run once.
struct Lab {
  io::EpollLoop loop;
  io::Worker resolver{"resolver"};
  io::SocketNetwork network{loop, resolver};
};

/// 64 clients for STATEWAY_SCENARIO_SECONDS (6).
lab::LoadOptions cart_load(const Address& target);

/// Runs the load to its end; meanwhile `faults` (may be empty) runs and is cancelled when the load has ended.
lab::LoadReport play(Lab& lab, lab::Load& load, io::Task<void> faults);

/// POST /v1/reload, while the load runs; expects 200.
io::Task<void> reload_by(Lab& lab, Address admin);

/// Kills the gateway and starts it again by `restart`, which does not wait, `rounds` times; each time it
/// serves for a while between. `done` counts the rounds.
io::Task<void> kill_again_and_again(Lab& lab, lab::GatewayProcess& gateway, std::function<void()> restart,
                                    std::uint64_t rounds, std::uint64_t& done);

/// Looks into each client's cart and compares with what the client knows. Expects no finding but, perhaps,
/// acknowledged items that are missing, and returns those.
std::vector<std::string> missing_items(const Address& clients, const lab::Load& load, unsigned count,
                                       const CartWorkload& workload);

/// The same; expects that none is missing.
void expect_carts_as_promised(const Address& clients, const lab::Load& load, unsigned count,
                              const CartWorkload& workload);

/// Expects that no change reached two instances: no request id and no item occurs twice in the carts'
/// journal. Returns the number of its lines.
std::size_t expect_each_change_arrived_once(const std::string& journal);

}  // namespace stateway::scenario
