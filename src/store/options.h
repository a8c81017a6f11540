// [store] of the configuration: where placement "store" keeps sessions. Plain values, immutable once loaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/secret.h"

namespace stateway::store {

enum class Kind : std::uint8_t { embedded, memory, redis, postgres };

/// What happens to exchanges of sessions while the store does not answer.
enum class OnOutage : std::uint8_t {
  fail,     // 503
  journal,  // sessions this gateway knows go on; what they commit is kept on this machine until then
};

/// Which of two values stays when a change kept during an outage meets another one in the store.
enum class OnConflict : std::uint8_t { journal, store };

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

  // redis, postgres
  Secret url;                              // may hold a password
  std::chrono::milliseconds timeout = 2s;  // for an answer, reconnecting included
  std::uint32_t connections = 1;           // of each event loop, to each server
  std::string ca_file;                     // whom to trust with TLS; empty: the system's authorities
  std::uint32_t replicas = 0;              // redis: that must confirm a commit before it is acknowledged
  /// Redis: how far the clocks of gateways may be apart. Records stay so much longer than they are used, and
  /// a gateway whose clock is farther from the server's removes none. 0: there is one clock.
  std::chrono::milliseconds clock_margin = 60s;
  OnOutage on_outage = OnOutage::fail;
  std::string journal_path = "var/journal";      // on_outage = journal: its directory
  std::uint64_t journal_bytes_max = 256u << 20;  // of intents; then 503
  std::size_t outage_bytes_max = 64u << 20;      // of sessions this gateway knows
  OnConflict on_conflict = OnConflict::journal;
  bool operator==(const StoreOptions&) const = default;
};

/// Whether both name the same store, however they would open it.
inline bool same_place(const StoreOptions& a, const StoreOptions& b) {
  if (a.kind != b.kind) return false;
  if (a.kind == Kind::embedded) return a.path == b.path;
  return a.kind == Kind::memory || a.url == b.url;
}

}  // namespace stateway::store
