#include "store/redis/cluster_topology.h"

#include <algorithm>
#include <set>
#include <utility>

#include "store/redis/cluster_router.h"

namespace stateway::store::redis {

ClusterTopology::ClusterTopology(std::vector<Address> seeds, Access access)
    : seeds_(std::move(seeds)), access_([&] {
        access.patient = false;  // while a node is gone, another one may take over
        return std::move(access);
      }()) {}

std::unique_ptr<Router> ClusterTopology::make_router(io::Loop& loop, io::Network& network) {
  return std::make_unique<ClusterRouter>(loop, network, *this);
}

std::shared_ptr<const SlotMap> ClusterTopology::map() const {
  const std::lock_guard lock(mutex_);
  return map_;
}

std::vector<Address> ClusterTopology::witnesses() {
  const std::lock_guard lock(mutex_);
  std::vector<Address> out = map_->nodes();
  if (!out.empty()) {
    const auto first = static_cast<std::ptrdiff_t>(turn_++ % out.size());
    std::rotate(out.begin(), out.begin() + first, out.end());
  }
  out.insert(out.end(), seeds_.begin(), seeds_.end());
  return out;
}

bool ClusterTopology::begin_refresh(TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (refreshing_ || now < next_refresh_) return false;
  refreshing_ = true;
  return true;
}

void ClusterTopology::publish(SlotMap map, TimePoint now) {
  auto next = std::make_shared<const SlotMap>(std::move(map));
  const std::lock_guard lock(mutex_);
  refreshing_ = false;
  next_refresh_ = now + kPause;
  const bool another_owner = is_an_owner_replaced(*map_, *next);
  replace(std::move(next), another_owner);
}

void ClusterTopology::give_up(TimePoint now) {
  const std::lock_guard lock(mutex_);
  refreshing_ = false;
  next_refresh_ = now + kPause;
}

void ClusterTopology::moved(Slot slot, const Address& owner) {
  const std::lock_guard lock(mutex_);
  const Address* const present = map_->owner(slot);
  if (present != nullptr && *present == owner) return;  // another command was told before
  auto next = std::make_shared<SlotMap>(*map_);
  next->set_owner(slot, owner);
  replace(std::move(next), present != nullptr);
}

void ClusterTopology::replace(std::shared_ptr<const SlotMap> map, bool another_owner) {
  if (another_owner) epoch_.fetch_add(1, std::memory_order_acq_rel);
  partitions_ = partitions_for(map->nodes());
  map_ = std::move(map);
  // Who is not there any more and comes back to serve is another owner of its slots, whoever it is.
  std::erase_if(processes_, [&](const auto& known) {
    return std::ranges::none_of(map_->nodes(),
                                [&](const Address& node) { return to_string(node) == known.first; });
  });
  version_.fetch_add(1, std::memory_order_acq_rel);
}

std::vector<std::string> ClusterTopology::probes() const {
  const auto map = this->map();
  std::set<std::size_t> owners;
  for (Slot slot = 0; slot < kSlots; ++slot)
    if (const auto owner = map->owner_number(slot)) owners.insert(*owner);
  std::vector<std::string> keys;
  constexpr int kTries = 40 * kSlots;  // an owner of one slot is all but certainly met
  for (int i = 0; i < kTries && !owners.empty(); ++i) {
    std::string key = "stateway:{" + std::to_string(i) + "}";
    const auto owner = map->owner_number(slot_of(key));
    if (owner && owners.erase(*owner) > 0) keys.push_back(std::move(key));
  }
  return keys;
}

std::vector<std::size_t> ClusterTopology::partitions_for(const std::vector<Address>& nodes) const {
  constexpr std::size_t kNone = ~std::size_t{0};
  std::vector<std::size_t> out(nodes.size(), kNone);
  std::vector<bool> taken(nodes.size() + partitions_.size(), false);
  for (std::size_t i = 0; i < map_->nodes().size(); ++i) {
    const auto at = std::ranges::find(nodes, map_->nodes()[i]);
    if (at == nodes.end()) continue;
    out[static_cast<std::size_t>(at - nodes.begin())] = partitions_[i];
    if (partitions_[i] < taken.size()) taken[partitions_[i]] = true;
  }
  for (std::size_t& number : out) {
    if (number != kNone) continue;
    number = static_cast<std::size_t>(std::ranges::find(taken, false) - taken.begin());
    taken[number] = true;
  }
  return out;
}

Result<void> ClusterTopology::greeted(const Address& node, const ServerFacts& facts) {
  if (facts.mode == "standalone")
    return fail(Code::invalid_argument, Side::store,
                "it is no node of a cluster: write redis:// or rediss://");
  ServerFacts as_master = facts;
  as_master.role = facts.mode == "cluster" ? "master" : facts.role;
  if (auto checked = check_master(as_master); !checked) return checked;
  const std::lock_guard lock(mutex_);
  History& known = processes_[to_string(node)];
  const bool is_another = !known.empty() && !known.is(facts);
  known = History(facts);
  if (is_another) epoch_.fetch_add(1, std::memory_order_acq_rel);
  return {};
}

std::size_t ClusterTopology::partition(std::string_view key) const {
  const Slot slot = slot_of(key);
  const std::lock_guard lock(mutex_);
  const auto owner = map_->owner_number(slot);
  return owner ? partitions_[*owner] : 0;
}

}  // namespace stateway::store::redis
