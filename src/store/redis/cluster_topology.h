// What a gateway knows of a cluster: one for all loops. Their routers ask the nodes and tell it.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "store/redis/slot_map.h"

namespace stateway::store::redis {

/// Thread-safe.
class ClusterTopology {
 public:
  /// From the end of one look at the cluster to the next, at least: nodes that fail all commands are no
  /// reason to ask more often.
  static constexpr Duration kPause = 100ms;

  explicit ClusterTopology(std::vector<Address> seeds) : seeds_(std::move(seeds)) {}

  std::shared_ptr<const SlotMap> map() const;
  /// Changes with the map.
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

  /// Whom to ask for a map, in order: who is known, another one first each time, then the seeds.
  std::vector<Address> witnesses();
  /// Whether the caller is to ask now; then it must call `publish` or `give_up`.
  bool begin_refresh(TimePoint now);
  void publish(SlotMap map, TimePoint now);
  void give_up(TimePoint now);
  /// A node said that it has not the slot any more.
  void moved(Slot slot, const Address& owner);
  /// The process that answers at an address. Another one than before may have lost data.
  void greeted(const Address& node, const std::string& run_id);

  /// StateStore::epoch: of slots and of processes.
  std::uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }
  /// StateStore::partition: a number for each node of the map; it keeps it for as long as it is there.
  std::size_t partition(Slot slot) const;

 private:
  void replace(std::shared_ptr<const SlotMap> map);
  std::vector<std::size_t> partitions_for(const std::vector<Address>& nodes) const;

  const std::vector<Address> seeds_;
  std::atomic<std::uint64_t> version_{0};
  std::atomic<std::uint64_t> epoch_{0};

  mutable std::mutex mutex_;
  std::shared_ptr<const SlotMap> map_ = std::make_shared<const SlotMap>();
  std::vector<std::size_t> partitions_;         // of the map's nodes
  std::map<std::string, std::string> run_ids_;  // by address
  bool refreshing_ = false;
  TimePoint next_refresh_{};
  std::size_t turn_ = 0;  // of witnesses
};

}  // namespace stateway::store::redis
