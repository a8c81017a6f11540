// What loads were about, in memory: committed records in use, and keys the database has no record of. `load`
// answers from it without a system call or a thread.
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
/// It only ever holds committed state: the writer publishes after its write succeeded, and what a reader
/// found in the database, a record or none, is taken only if nothing was published to its shard since the
/// reader looked here first.
///
/// Anybody can ask for ids that never were. Absences are therefore kept apart: together they take at most an
/// eighth of a shard, and beyond that an absence displaces an absence, first those not asked for again. So a
/// flood of unknown ids costs the records an eighth of the memory at most, and never more than that.
class HotTable {
 public:
  /// `bytes_max` counts keys, values and an estimate of the bookkeeping. A record above a shard's share of it
  /// is never kept; with 0 none is.
  explicit HotTable(std::size_t bytes_max)
      : shard_bytes_max_(bytes_max / kShards), absent_bytes_max_(shard_bytes_max_ / kAbsentShare) {}

  struct Found {
    StoredPtr stored;            // null: not here
    bool absent = false;         // not here and not in the database either; else that says nothing about it
    WallMillis expires_at = 0;   // the record's, or the later one it was touched to
    std::uint64_t sequence = 0;  // for `offer`
  };
  Found find(std::string_view key);
  /// The same without counting as use: for walks over many records.
  Found peek(std::string_view key);

  /// Makes `stored` the record of `key`; null: it was erased. The writer's alone.
  void publish(std::string_view key, StoredPtr stored);
  /// Keeps what a reader found in the database, null for no record, after `find` had said `sequence`, unless
  /// that may be outdated.
  void offer(std::string_view key, StoredPtr stored, std::uint64_t sequence);

  enum class Touch : std::uint8_t { moved, refused, absent };
  /// Moves the expiry to a later time. refused: not later, the record has ended or expired, or there is none
  /// in the database. absent: not here.
  Touch touch(std::string_view key, WallMillis expires_at, WallMillis now);

  std::size_t bytes() const;

 private:
  static constexpr std::size_t kShards = 16;  // a power of two; each must have room for the largest documents
  static constexpr std::size_t kAbsentShare = 8;

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
    StoredPtr stored;  // null: the database has none
    WallMillis expires_at = 0;
    std::size_t cost = 0;
    bool used = false;  // since the hand passed
    const Key* key = nullptr;
    Node* previous = nullptr;  // its ring
    Node* next = nullptr;
  };
  using Nodes = std::unordered_map<Key, Node, Hash, Equal>;
  /// Nodes of one kind, in the order in which the hand comes to them.
  struct Ring {
    Node* hand = nullptr;
    std::size_t bytes = 0;
    void add(Node& node);
    void remove(Node& node);
  };
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    Nodes nodes;
    Ring records;
    Ring absences;
    std::uint64_t sequence = 0;  // publications so far

    Ring& ring_of(const Node& node) { return node.stored ? records : absences; }
  };

  static Probe probe(std::string_view key) { return {key, std::hash<std::string_view>{}(key)}; }
  Shard& shard_of(const Probe& p) { return shards_[p.hash >> 32 & (kShards - 1)]; }
  Found look(std::string_view key, bool use);
  void put(Shard& shard, const Probe& p, StoredPtr stored);
  static void erase(Shard& shard, Nodes::iterator at);
  static void evict_one(Shard& shard, Ring& ring);

  const std::size_t shard_bytes_max_;
  const std::size_t absent_bytes_max_;
  std::array<Shard, kShards> shards_;
};

}  // namespace stateway::store
