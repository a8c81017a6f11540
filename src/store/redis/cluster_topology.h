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
#include "base/random.h"
#include "store/redis/router.h"
#include "store/redis/single.h"
#include "store/redis/slot_map.h"

namespace stateway::store::redis {

class ClusterTopology final : public Topology {
 public:
  /// From the end of one look at the cluster to the next, at least: nodes that fail all commands are no
  /// reason to ask more often.
  static constexpr Duration kPause = 100ms;

  /// `seeds`: some of its nodes.
  ClusterTopology(std::vector<Address> seeds, Access access);

  std::unique_ptr<Router> make_router(io::Loop& loop, io::Network& network) override;
  /// Of slots and of processes.
  std::uint64_t epoch() const override { return epoch_.load(std::memory_order_acquire); }
  /// A number for each node of the map, which it keeps for as long as it is there.
  std::size_t partition(std::string_view key) const override;
  std::vector<std::string> probes() const override;

  // For its routers.
  const Access& access() const { return access_; }
  Random& random() { return random_; }

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
  /// A node says what it is. Another process than before may have lost data. Errors: as check_master, but
  /// replicas may be used as well: they know the map, and send back the commands that they get by mistake.
  Result<void> greeted(const Address& node, const ServerFacts& facts);

 private:
  void replace(std::shared_ptr<const SlotMap> map, bool another_owner);
  std::vector<std::size_t> partitions_for(const std::vector<Address>& nodes) const;

  const std::vector<Address> seeds_;
  const Access access_;
  SystemRandom random_;
  std::atomic<std::uint64_t> version_{0};
  std::atomic<std::uint64_t> epoch_{0};

  mutable std::mutex mutex_;
  std::shared_ptr<const SlotMap> map_ = std::make_shared<const SlotMap>();
  std::vector<std::size_t> partitions_;       // of the map's nodes
  std::map<std::string, History> processes_;  // by address
  bool refreshing_ = false;
  TimePoint next_refresh_{};
  std::size_t turn_ = 0;  // of witnesses
};

}  // namespace stateway::store::redis
