// Committed records in use, in memory: what `load` answers from without a system call or a thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "store/record_codec.h"

namespace stateway::store {

/// A sharded, bounded table with CLOCK eviction. Thread-safe.
/// It only ever holds committed state: the writer publishes after its write succeeded, and a reader's find in
/// the database is taken only if nothing was published to its shard since the reader looked here first.
class HotTable {
 public:
  /// `bytes_max` counts keys, values and an estimate of the bookkeeping. A record above a shard's share of it
  /// is never kept; with 0 none is.
  explicit HotTable(std::size_t bytes_max) : shard_bytes_max_(bytes_max / kShards) {}

  struct Found {
    StoredPtr stored;            // null: not here, which says nothing about the database
    WallMillis expires_at = 0;   // the record's, or the later one it was touched to
    std::uint64_t sequence = 0;  // for `offer`
  };
  Found find(std::string_view key);
  /// The same without counting as use: for walks over many records.
  Found peek(std::string_view key);

  /// Makes `stored` the record of `key`; null: it was erased. The writer's alone.
  void publish(std::string_view key, StoredPtr stored);
  /// Keeps what a reader found in the database after `find` had said `sequence`, unless that may be outdated.
  void offer(std::string_view key, StoredPtr stored, std::uint64_t sequence);

  enum class Touch : std::uint8_t { moved, refused, absent };
  /// Moves the expiry to a later time. refused: not later, or the record is not live or has expired.
  Touch touch(std::string_view key, WallMillis expires_at, WallMillis now);

  std::size_t bytes() const;

 private:
  static constexpr std::size_t kShards = 16;  // a power of two; each must have room for the largest documents

  struct Probe {
    std::string_view text;
    std::size_t hash;
  };
  struct Key {
    std::string text;
    std::size_t hash;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Key& k) const { return k.hash; }
    std::size_t operator()(const Probe& p) const { return p.hash; }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Key& a, const Key& b) const { return a.text == b.text; }
    bool operator()(const Probe& a, const Key& b) const { return a.text == b.text; }
    bool operator()(const Key& a, const Probe& b) const { return a.text == b.text; }
  };
  struct Node {
    StoredPtr stored;
    WallMillis expires_at = 0;
    std::size_t cost = 0;
    bool used = false;  // since the hand passed
    const Key* key = nullptr;
    Node* previous = nullptr;  // the ring of its shard
    Node* next = nullptr;
  };
  using Nodes = std::unordered_map<Key, Node, Hash, Equal>;
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    Nodes nodes;
    Node* hand = nullptr;
    std::size_t bytes = 0;
    std::uint64_t sequence = 0;  // publications so far
  };

  static Probe probe(std::string_view key) { return {key, std::hash<std::string_view>{}(key)}; }
  Shard& shard_of(const Probe& p) { return shards_[p.hash >> 32 & (kShards - 1)]; }
  Found look(std::string_view key, bool use);
  void put(Shard& shard, const Probe& p, StoredPtr stored);
  static void erase(Shard& shard, Nodes::iterator at);
  void evict(Shard& shard);

  const std::size_t shard_bytes_max_;
  std::array<Shard, kShards> shards_;
};

}  // namespace stateway::store
