#include "store/redis/slot_map.h"

#include <algorithm>

namespace stateway::store::redis {
namespace {

constexpr std::size_t kNodesMax = 4096;  // Redis advises against more than 1000

std::unexpected<Error> unreadable(const char* what) {
  return fail(Code::io, Side::store, std::string("CLUSTER SLOTS: ") + what);
}

/// A node is an array of host, port, id and, since 7.0, more. The host is nil where only the caller knows it.
std::optional<Address> node_from(const Reply& node, const Address& asked) {
  if (node.elements.size() < 2 || node.elements[1].kind != Reply::Kind::integer) return std::nullopt;
  return parse_node_address(node.elements[0].text, std::to_string(node.elements[1].integer), asked);
}

}  // namespace

Result<SlotMap> SlotMap::read(const Reply& reply, const Address& asked) {
  if (reply.kind != Reply::Kind::array) return unreadable("not an array");
  SlotMap map;
  for (const Reply& range : reply.elements) {  // first slot, last slot, master, replicas
    if (range.elements.size() < 3) return unreadable("a range without a master");
    const auto first = range.elements[0].integer;
    const auto last = range.elements[1].integer;
    if (first < 0 || last < first || last >= kSlots) return unreadable("a range that is none");
    const auto master = node_from(range.elements[2], asked);
    if (!master) continue;
    const auto number = map.number_of(*master);
    std::fill(map.owners_.begin() + first, map.owners_.begin() + last + 1, number);
    if (map.nodes_.size() > kNodesMax) return unreadable("more nodes than any cluster has");
  }
  map.masters_ = map.nodes_.size();
  if (map.masters_ == 0) return unreadable("nobody serves any slot");
  for (const Reply& range : reply.elements)
    for (std::size_t i = 3; i < range.elements.size() && map.nodes_.size() <= kNodesMax; ++i)
      if (const auto replica = node_from(range.elements[i], asked)) (void)map.number_of(*replica);
  return map;
}

std::uint16_t SlotMap::number_of(const Address& node) {
  auto at = std::ranges::find(nodes_, node);
  if (at == nodes_.end()) at = nodes_.insert(at, node);
  return static_cast<std::uint16_t>(at - nodes_.begin());
}

std::optional<std::size_t> SlotMap::owner_number(Slot slot) const {
  const auto number = owners_[slot];
  return number == kNobody ? std::nullopt : std::optional<std::size_t>(number);
}

const Address* SlotMap::owner(Slot slot) const {
  const auto number = owner_number(slot);
  return number ? &nodes_[*number] : nullptr;
}

void SlotMap::set_owner(Slot slot, const Address& owner) { owners_[slot] = number_of(owner); }

bool is_an_owner_replaced(const SlotMap& before, const SlotMap& after) {
  for (Slot slot = 0; slot < kSlots; ++slot) {
    const Address* const old = before.owner(slot);
    const Address* const now = after.owner(slot);
    if (old != nullptr && now != nullptr && *old != *now) return true;
  }
  return false;
}

}  // namespace stateway::store::redis
