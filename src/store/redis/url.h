// [store] url of Redis and Valkey: which servers, and who we are there.
//   redis://user:password@host:6379/0     one server            rediss://…  the same over TLS
//   redis+unix:///run/redis.sock          one server of this machine
//   redis+cluster://a:6379,b:6379         some servers of a cluster; rediss+cluster:// over TLS
//   redis+sentinel://a:26379,b:26379/name?db=0   its sentinels, and the name they have for the master
// User and password are percent-encoded; a password alone (redis://:password@host) is that of `requirepass`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "base/secret.h"

namespace stateway::store::redis {

struct Url {
  enum class Kind : std::uint8_t { single, cluster, sentinel };

  Kind kind = Kind::single;
  bool tls = false;
  std::vector<Address> servers;  // of a cluster or the sentinels: some; otherwise one
  std::string user;              // empty: the default user
  Secret password;               // empty: none
  unsigned database = 0;         // of a cluster always 0
  std::string master;            // sentinel: the name of the master

  bool operator==(const Url&) const = default;
};

inline constexpr std::uint16_t kDefaultPort = 6379;
inline constexpr std::uint16_t kDefaultSentinelPort = 26379;

/// Errors: invalid_argument, with one sentence that says what to write instead and repeats nothing of `text`
/// but its scheme: the rest may hold the password. Pure; any thread.
Result<Url> parse_url(std::string_view text);

}  // namespace stateway::store::redis
