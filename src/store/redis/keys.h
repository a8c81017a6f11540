// The names that things have in Redis, and what a record looks like there: docs/formats/redis.md. Pure; any
// thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/redis/reply.h"
#include "store/store.h"

namespace stateway::store::redis {

/// A session's keys share what stands in braces, and so a server: tag_of(key).
std::string record_key(std::string_view key);
std::string lease_key(std::string_view key);

/// Every record is in the index of its key's first octet, by its expiry.
inline constexpr std::size_t kShards = 256;
inline std::size_t shard_of(std::string_view key) { return static_cast<unsigned char>(key.front()); }
std::string index_key(std::size_t shard);
/// Those of them that are ended.
std::string ended_key(std::size_t shard);
/// Records that carry this log-in, and some that did.
std::string principal_key(std::string_view principal);

/// "7 41 9 3": gateway and sequence of each, the latest first.
std::string encode_applied(const std::vector<CommitId>& applied);
/// "0" live, "1" moved, "2" ended.
std::string_view encode_state(State state);

/// Fields of a record, in the order of HMGET.
inline constexpr std::string_view kFields[] = {"rev", "state", "exp", "principal", "value", "applied"};
/// HMGET of them all.
std::string load_command(std::string_view key);
/// Of load_command's reply; nullopt: there is no record. Errors: store_unavailable for what no gateway wrote.
Result<std::optional<Record>> decode_record(Reply reply);

}  // namespace stateway::store::redis
