// Who serves which slots of a cluster, as one of its nodes said it (CLUSTER SLOTS).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "store/redis/reply.h"
#include "store/redis/slots.h"

namespace stateway::store::redis {

class SlotMap {
 public:
  /// Nobody serves anything.
  SlotMap() : owners_(kSlots, kNobody) {}
  /// `reply` is of CLUSTER SLOTS, `asked` who gave it. Nodes without an address that can be used are left
  /// out. Errors: io, with the reason, for what is no such reply and for one in which nobody serves anything.
  /// Pure.
  static Result<SlotMap> read(const Reply& reply, const Address& asked);

  /// nullptr: nobody's. Valid until the map changes.
  const Address* owner(Slot slot) const;
  /// Its place in nodes().
  std::optional<std::size_t> owner_number(Slot slot) const;
  /// Replicas too; masters first.
  const std::vector<Address>& nodes() const { return nodes_; }
  /// Of nodes(), how many have slots.
  std::size_t masters() const { return masters_; }

  /// A slot of which a node said that it has moved.
  void set_owner(Slot slot, const Address& owner);

 private:
  static constexpr std::uint16_t kNobody = 0xffff;
  std::uint16_t number_of(const Address& node);

  std::vector<std::uint16_t> owners_;  // by slot, an index into nodes_
  std::vector<Address> nodes_;
  std::size_t masters_ = 0;
};

/// Of slots that somebody serves in both, whether one has another owner.
bool is_an_owner_replaced(const SlotMap& before, const SlotMap& after);

}  // namespace stateway::store::redis
