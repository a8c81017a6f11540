#include "store/hot_table.h"

#include <algorithm>
#include <utility>

namespace stateway::store {
namespace {

constexpr std::size_t kBookkeepingBytes = 288;  // node, record, control block, and their heap headers

std::size_t cost_of(std::string_view key, const Record& record) {
  return kBookkeepingBytes + key.size() + record.principal.size() + record.value.size();
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
  return {.stored = node.stored, .expires_at = node.expires_at, .sequence = shard.sequence};
}

void HotTable::publish(std::string_view key, StoredPtr stored) {
  const Probe p = probe(key);
  Shard& shard = shard_of(p);
  const std::lock_guard lock(shard.mutex);
  ++shard.sequence;
  if (stored) return put(shard, p, std::move(stored));
  if (const auto at = shard.nodes.find(p); at != shard.nodes.end()) erase(shard, at);
}

void HotTable::offer(std::string_view key, StoredPtr stored, std::uint64_t sequence) {
  const Probe p = probe(key);
  Shard& shard = shard_of(p);
  const std::lock_guard lock(shard.mutex);
  if (shard.sequence != sequence) return;
  const auto at = shard.nodes.find(p);
  // Between the database's write and its publication two readers may find a record before and after it.
  if (at != shard.nodes.end() && at->second.stored->record.revision >= stored->record.revision) return;
  put(shard, p, std::move(stored));
}

HotTable::Touch HotTable::touch(std::string_view key, WallMillis expires_at, WallMillis now) {
  const Probe p = probe(key);
  Shard& shard = shard_of(p);
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.nodes.find(p);
  if (at == shard.nodes.end()) return Touch::absent;
  Node& node = at->second;
  if (node.stored->record.state != State::live || node.expires_at <= now || node.expires_at >= expires_at)
    return Touch::refused;
  node.expires_at = expires_at;
  node.used = true;
  return Touch::moved;
}

std::size_t HotTable::bytes() const {
  std::size_t sum = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    sum += shard.bytes;
  }
  return sum;
}

void HotTable::put(Shard& shard, const Probe& p, StoredPtr stored) {
  const std::size_t cost = cost_of(p.text, stored->record);
  auto at = shard.nodes.find(p);
  if (cost > shard_bytes_max_) {
    if (at != shard.nodes.end()) erase(shard, at);
    return;
  }
  if (at == shard.nodes.end()) {
    at = shard.nodes.try_emplace(Key{std::string(p.text), p.hash}).first;
    Node& node = at->second;
    node.key = &at->first;
    if (shard.hand == nullptr) {
      node.previous = node.next = shard.hand = &node;
    } else {  // just behind the hand: the last it will come to
      node.next = shard.hand;
      node.previous = shard.hand->previous;
      node.previous->next = node.next->previous = &node;
    }
  }
  Node& node = at->second;
  shard.bytes += cost - node.cost;
  node.cost = cost;
  node.expires_at = stored->record.expires_at;
  node.stored = std::move(stored);
  evict(shard);
}

void HotTable::erase(Shard& shard, Nodes::iterator at) {
  Node& node = at->second;
  if (node.next == &node) {
    shard.hand = nullptr;
  } else {
    if (shard.hand == &node) shard.hand = node.next;
    node.previous->next = node.next;
    node.next->previous = node.previous;
  }
  shard.bytes -= node.cost;
  shard.nodes.erase(at);
}

void HotTable::evict(Shard& shard) {
  while (shard.bytes > shard_bytes_max_) {
    Node& node = *shard.hand;
    if (std::exchange(node.used, false)) {
      shard.hand = node.next;
    } else {
      erase(shard, shard.nodes.find(Probe{node.key->text, node.key->hash}));
    }
  }
}

}  // namespace stateway::store
