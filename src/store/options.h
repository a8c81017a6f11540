// [store] of the configuration: where placement "store" keeps sessions. Plain values, immutable once loaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace stateway::store {

enum class Kind : std::uint8_t { embedded, memory };

/// What a commit has survived when it is acknowledged.
enum class Durability : std::uint8_t {
  sync,    // on disk: survives a loss of power
  os,      // handed to the operating system: survives the process, not the power
  memory,  // neither
};

struct StoreOptions {
  Kind kind = Kind::embedded;
  std::string path = "var/state";  // embedded: its directory, relative to the working directory
  Durability durability = Durability::sync;
  /// Embedded: octets of committed records kept in memory, beside some 100 MiB of RocksDB's own; the others
  /// are read from disk. Holds a million sessions of 500 octets.
  std::size_t memory_bytes_max = 896u << 20;
  std::uint64_t sessions_max = 1'000'000;  // then new sessions get 503, old ones live
  bool operator==(const StoreOptions&) const = default;
};

}  // namespace stateway::store
