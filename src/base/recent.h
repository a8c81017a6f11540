// What a process remembers of many sessions for a while: bounded, the oldest go first. Sharded by id; no lock
// is shared by all.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/clock.h"

namespace stateway {

/// Values by session id, each until its time is over or room is needed. The oldest is what was written
/// longest ago: looking does not make younger. Nothing here is the truth about a session: whoever misses a
/// value must be able to do without. Only a Value that says it is `in_use()` stays, whatever its age and
/// however little room there is: its writers bound how many there are. Thread-safe.
template <class Value>
class Recent {
 public:
  /// What a value costs besides its own octets: entry, index and their heap headers.
  static constexpr std::size_t kBookkeepingBytes = 192;
  static constexpr std::size_t kShards =
      16;  // each has its share of the octets, and must have room for one value

  /// `bytes_max` counts ids, what the values' writers say of them, and the bookkeeping. A value above a
  /// shard's share of it is not kept; with 0 none is.
  explicit Recent(std::size_t bytes_max) : shard_bytes_max_(bytes_max / kShards) {}

  /// For how long a value is kept, and the octets it has on the heap.
  struct Terms {
    std::size_t bytes = 0;
    TimePoint until;
  };

  /// A copy; nullopt: there is none, or no more.
  std::optional<Value> find(std::string_view id, TimePoint now) const {
    return find_or(id, now, [] { return std::optional<Value>(); });
  }
  /// The same; without one, what `otherwise()` returns. That is called under the shard's lock and must not
  /// come back here.
  template <class Otherwise>
  std::optional<Value> find_or(std::string_view id, TimePoint now, Otherwise&& otherwise) const {
    const Shard& shard = shard_of(id);
    const std::lock_guard lock(shard.mutex);
    const auto at = shard.index.find(id);
    if (at == shard.index.end() || at->second->until <= now) return std::forward<Otherwise>(otherwise)();
    return at->second->value;
  }

  /// Calls `write(Value&)` under the shard's lock, with a new Value if there is none. It returns the terms on
  /// which the value is kept from now on, as the youngest, or nullopt to forget it. It must not come back
  /// here.
  template <class Write>
  void change(std::string_view id, TimePoint now, Write&& write) {
    Shard& shard = shard_of(id);
    const std::lock_guard lock(shard.mutex);
    auto at = shard.index.find(id);
    if (at != shard.index.end() && at->second->until <= now && !in_use(at->second->value)) {
      drop(shard, at->second);
      at = shard.index.end();
    }
    if (at == shard.index.end()) {
      shard.oldest_first.push_back({.id = std::string(id)});
      const auto added = std::prev(shard.oldest_first.end());
      at = shard.index.emplace(std::string_view(added->id), added).first;
    } else {
      shard.oldest_first.splice(shard.oldest_first.end(), shard.oldest_first, at->second);
    }
    const auto entry = at->second;
    const std::optional<Terms> terms = std::forward<Write>(write)(entry->value);
    if (!terms) return drop(shard, entry);
    entry->until = terms->until;
    shard.bytes -= entry->cost;
    entry->cost = kBookkeepingBytes + sizeof(Value) + id.size() + terms->bytes;
    shard.bytes += entry->cost;
    if (entry->cost > shard_bytes_max_ && !in_use(entry->value)) {
      evicted_.fetch_add(1, std::memory_order_relaxed);
      return drop(shard, entry);
    }
    make_room(shard, now);
  }

  void keep(std::string_view id, Value value, Terms terms, TimePoint now) {
    change(id, now, [&](Value& kept) {
      kept = std::move(value);
      return std::optional(terms);
    });
  }

  void forget(std::string_view id) {
    Shard& shard = shard_of(id);
    const std::lock_guard lock(shard.mutex);
    if (const auto at = shard.index.find(id); at != shard.index.end()) drop(shard, at->second);
  }

  /// Forgotten before their time because others needed the room.
  std::uint64_t evicted() const { return evicted_.load(std::memory_order_relaxed); }
  /// Entries now, with those whose time is over and that nobody has come upon yet.
  std::size_t size() const {
    return sum([](const Shard& shard) { return shard.index.size(); });
  }
  /// Octets now, never more than bytes_max and what is in use.
  std::size_t bytes() const {
    return sum([](const Shard& shard) { return shard.bytes; });
  }

 private:
  struct Entry {
    std::string id;
    Value value{};
    TimePoint until{};
    std::size_t cost = 0;
  };
  using Entries = std::list<Entry>;
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    Entries oldest_first;
    std::unordered_map<std::string_view, typename Entries::iterator> index;  // into the entries
    std::size_t bytes = 0;
  };

  static std::size_t place(std::string_view id) {
    return std::hash<std::string_view>{}(id) >> 32 & (kShards - 1);
  }
  Shard& shard_of(std::string_view id) { return shards_[place(id)]; }
  const Shard& shard_of(std::string_view id) const { return shards_[place(id)]; }

  static void drop(Shard& shard, typename Entries::iterator entry) {
    shard.bytes -= entry->cost;
    shard.index.erase(std::string_view(entry->id));
    shard.oldest_first.erase(entry);
  }

  static bool in_use(const Value& value) {
    if constexpr (requires { value.in_use(); }) return value.in_use();
    return false;
  }

  // The youngest alone always fits.
  void make_room(Shard& shard, TimePoint now) {
    for (std::size_t others = shard.index.size() - 1; others > 0; --others) {
      const auto oldest = shard.oldest_first.begin();
      const bool over = oldest->until <= now;
      if (!over && shard.bytes <= shard_bytes_max_) return;
      if (in_use(oldest->value)) {
        shard.oldest_first.splice(shard.oldest_first.end(), shard.oldest_first, oldest);
        continue;
      }
      if (!over) evicted_.fetch_add(1, std::memory_order_relaxed);
      drop(shard, oldest);
    }
  }

  template <class Of>
  std::size_t sum(Of of) const {
    std::size_t total = 0;
    for (const Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      total += of(shard);
    }
    return total;
  }

  const std::size_t shard_bytes_max_;
  std::atomic<std::uint64_t> evicted_{0};
  std::array<Shard, kShards> shards_;
};

}  // namespace stateway
