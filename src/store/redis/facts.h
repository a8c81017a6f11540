// What a server says about itself when a connection to it begins: INFO, which is allowed where CONFIG is not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stateway::store::redis {

struct ServerFacts {
  std::string version;  // "7.0.15"; Valkey's is that of the Redis it stands in for
  std::string run_id;   // another one after each start: data that was only in memory may be gone
  std::string mode;     // "standalone", "cluster" or "sentinel"
  std::string role;     // "master", "slave" or "sentinel"
  std::string replid;   // master_replid: another one whenever it becomes a master
  bool loading = false;
  bool append_only = false;
  std::uint64_t memory_max = 0;  // octets; 0: no limit
  std::string eviction;          // maxmemory-policy

  bool operator==(const ServerFacts&) const = default;
};

/// A process and the history of its data. Another one may lack some of what this one had: a master that was a
/// replica in between is the same process, and took its data from somebody else.
struct History {
  History() = default;
  explicit History(const ServerFacts& facts) : run_id(facts.run_id), replid(facts.replid) {}
  bool is(const ServerFacts& facts) const { return run_id == facts.run_id && replid == facts.replid; }
  bool empty() const { return run_id.empty(); }

  std::string run_id;
  std::string replid;
};

/// `info`: the text of INFO's answer. Unknown lines are skipped. Errors: invalid_argument when it says no
/// version: nobody we know. Pure; any thread.
Result<ServerFacts> parse_info(std::string_view info);

/// That no session is thrown away when memory is full. Errors: invalid_argument, a sentence for the operator.
Result<void> check_eviction(const ServerFacts& facts);

/// That sessions can be kept there: a master that has loaded its data and evicts nothing. Errors, with a
/// sentence for the operator: invalid_argument for what he must change; store_unavailable for what may pass.
Result<void> check_master(const ServerFacts& facts);

}  // namespace stateway::store::redis
