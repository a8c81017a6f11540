#include "store/hot_table.h"

#include <utility>

namespace stateway::store {
namespace {

constexpr std::size_t kAbsentBytes = 192;  // node, its place in the buckets, heap headers
constexpr std::size_t kRecordBytes = 288;  // and record, control block

std::size_t cost_of(std::string_view key, const Stored* stored) {
  if (stored == nullptr) return kAbsentBytes + key.size();
  return kRecordBytes + key.size() + stored->record.principal.size() + stored->record.value.size();
}

}  // namespace

HotTable::Found HotTable::find(std::string_view key) { return look(key, true); }
HotTable::Found HotTable::peek(std::string_view key) { return look(key, false); }

HotTable::Found HotTable::look(std::string_view key, bool use) {
  const Probe p = probe(key);
  Shard& shard = shard_of(p);
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.nodes.find(p);
  if (at == shard.nodes.end()) return {.sequence = shard.sequence};
  Node& node = at->second;
  node.used |= use;
  return {.stored = node.stored,
          .absent = !node.stored,
          .expires_at = node.expires_at,
          .sequence = shard.sequence};
}

void HotTable::publish(std::string_view key, StoredPtr stored) {
  const Probe p = probe(key);
  Shard& shard = shard_of(p);
  const std::lock_guard lock(shard.mutex);
  ++shard.sequence;
  if (stored) return put(shard, p, std::move(stored));
  // Not kept as an absence: most erasures are the sweep's, of records that nobody asks for any more.
  if (const auto at = shard.nodes.find(p); at != shard.nodes.end()) erase(shard, at);
}

void HotTable::offer(std::string_view key, StoredPtr stored, std::uint64_t sequence) {
  const Probe p = probe(key);
  Shard& shard = shard_of(p);
  const std::lock_guard lock(shard.mutex);
  if (shard.sequence != sequence) return;
  // Between the database's write and its publication two readers may find a record before and after it.
  if (const auto at = shard.nodes.find(p); at != shard.nodes.end()) {
    const Revision here = at->second.stored ? at->second.stored->record.revision : 0;
    if (here >= (stored ? stored->record.revision : 0)) return;
  }
  put(shard, p, std::move(stored));
}

HotTable::Touch HotTable::touch(std::string_view key, WallMillis expires_at, WallMillis now) {
  const Probe p = probe(key);
  Shard& shard = shard_of(p);
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.nodes.find(p);
  if (at == shard.nodes.end()) return Touch::absent;
  Node& node = at->second;
  if (!node.stored || node.stored->record.state == State::ended || node.expires_at <= now ||
      node.expires_at >= expires_at)
    return Touch::refused;
  node.expires_at = expires_at;
  node.used = true;
  return Touch::moved;
}

std::size_t HotTable::bytes() const {
  std::size_t sum = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    sum += shard.records.bytes + shard.absences.bytes;
  }
  return sum;
}

void HotTable::put(Shard& shard, const Probe& p, StoredPtr stored) {
  const std::size_t cost = cost_of(p.text, stored.get());
  auto at = shard.nodes.find(p);
  const bool room = cost <= (stored ? shard_bytes_max_ : absent_bytes_max_);
  const bool other_ring = at != shard.nodes.end() && !at->second.stored != !stored;
  if (at != shard.nodes.end() && (!room || other_ring)) {
    erase(shard, at);
    at = shard.nodes.end();
  }
  if (!room) return;
  Ring& ring = stored ? shard.records : shard.absences;
  if (at == shard.nodes.end()) {
    at = shard.nodes.try_emplace(Key{std::string(p.text), p.hash}).first;
    at->second.key = &at->first;
    ring.add(at->second);
  }
  Node& node = at->second;
  ring.bytes += cost - node.cost;
  node.cost = cost;
  node.expires_at = stored ? stored->record.expires_at : 0;
  node.stored = std::move(stored);
  while (shard.absences.bytes > absent_bytes_max_) evict_one(shard, shard.absences);
  while (shard.records.bytes + shard.absences.bytes > shard_bytes_max_) evict_one(shard, shard.records);
}

void HotTable::Ring::add(Node& node) {
  if (hand == nullptr) {
    node.previous = node.next = hand = &node;
  } else {  // just behind the hand: the last it will come to
    node.next = hand;
    node.previous = hand->previous;
    node.previous->next = node.next->previous = &node;
  }
}

void HotTable::Ring::remove(Node& node) {
  if (node.next == &node) {
    hand = nullptr;
  } else {
    if (hand == &node) hand = node.next;
    node.previous->next = node.next;
    node.next->previous = node.previous;
  }
  bytes -= node.cost;
}

void HotTable::erase(Shard& shard, Nodes::iterator at) {
  shard.ring_of(at->second).remove(at->second);
  shard.nodes.erase(at);
}

void HotTable::evict_one(Shard& shard, Ring& ring) {
  while (std::exchange(ring.hand->used, false)) ring.hand = ring.hand->next;
  const Key& key = *ring.hand->key;
  erase(shard, shard.nodes.find(Probe{key.text, key.hash}));
}

}  // namespace stateway::store
