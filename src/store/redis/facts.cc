#include "store/redis/facts.h"

#include "base/bytes.h"

namespace stateway::store::redis {

Result<ServerFacts> parse_info(std::string_view info) {
  ServerFacts facts;
  while (!info.empty()) {
    const std::size_t end = info.find("\r\n");
    const std::string_view line = info.substr(0, end);
    info.remove_prefix(end == info.npos ? info.size() : end + 2);
    const std::size_t colon = line.find(':');
    if (colon == line.npos) continue;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = line.substr(colon + 1);
    if (name == "redis_version") facts.version = value;
    if (name == "run_id") facts.run_id = value;
    if (name == "redis_mode") facts.mode = value;
    if (name == "role") facts.role = value;
    if (name == "master_replid") facts.replid = value;
    if (name == "loading") facts.loading = value != "0";
    if (name == "aof_enabled") facts.append_only = value == "1";
    if (name == "maxmemory") facts.memory_max = parse_decimal(value).value_or(0);
    if (name == "maxmemory_policy") facts.eviction = value;
  }
  if (facts.version.empty())
    return fail(Code::invalid_argument, Side::store,
                "its INFO has no redis_version: it is no Redis or Valkey");
  return facts;
}

Result<void> check_eviction(const ServerFacts& facts) {
  if (facts.memory_max == 0 || facts.eviction == "noeviction") return {};
  return fail(Code::invalid_argument, Side::store,
              "its maxmemory-policy is " + facts.eviction +
                  ": it would drop sessions when its memory is full; set maxmemory-policy noeviction");
}

Result<void> check_master(const ServerFacts& facts) {
  const auto refuse = [](Code code, std::string sentence) -> Result<void> {
    return fail(code, Side::store, std::move(sentence));
  };
  if (facts.mode == "sentinel")
    return refuse(Code::invalid_argument,
                  "it is a sentinel: write redis+sentinel://host:26379/NAME-OF-THE-MASTER");
  // A restart, or a failover that is not over yet: the next attempt finds the data loaded, or the new master.
  if (facts.loading) return refuse(Code::store_unavailable, "it is still loading its data");
  if (facts.role != "master")
    return refuse(Code::store_unavailable,
                  "it is a replica: name the master, or use redis+sentinel:// to have it found");
  return check_eviction(facts);
}

}  // namespace stateway::store::redis
