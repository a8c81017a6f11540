// What the gateway itself can be told: [gateway], [log], [limits], [[listen]] and [admin] of the
// configuration. Plain values, immutable once loaded; docs/configuration.md explains every one.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/log.h"
#include "base/peer_network.h"
#include "base/secret.h"

namespace stateway::gateway {

struct GatewayOptions {
  unsigned threads = 0;  // event loops; 0 = one per core
  std::chrono::milliseconds drain_timeout{30'000};
  std::vector<PeerNetwork> trusted_proxies;  // whose Forwarded and X-Forwarded-* are believed
  Address session_address{.host =
                              "127.0.0.1"};    // TCP; where Stateway-Session-Url points; port 0: any free one
  std::string key_file = "var/stateway.keys";  // of sealed cookies; only where there are sessions
  std::size_t overlap_bytes_max = 64 * 1024 * 1024;  // last versions of sessions in cookies (RecentVersions)
  std::size_t hybrid_bytes_max = 64 * 1024 * 1024;   // for who holds which session's document (Holders)
  bool debug_headers = false;
  bool operator==(const GatewayOptions&) const = default;
};

struct LogOptions {
  bool access = true;  // one line per exchange
  log::Format format = log::Format::json;
  bool operator==(const LogOptions&) const = default;
};

struct LimitsOptions {
  std::size_t head_bytes_max = 16 * 1024;  // request line or status line, and all fields
  std::size_t target_bytes_max = 8 * 1024;
  unsigned fields_max = 100;
  std::chrono::milliseconds head_timeout{10'000};  // from the first byte of a head to its last
  std::chrono::milliseconds client_idle{60'000};   // between exchanges, and between the bytes of a body
  unsigned connections_max = 10'000;
  bool operator==(const LimitsOptions&) const = default;
};

/// What an address that speaks TLS shows its clients. Both are there and belong together.
struct TlsOptions {
  std::string certificates;  // the contents of `cert`, PEM
  Secret key;                // the contents of `key`, PEM
  bool operator==(const TlsOptions&) const = default;
};

struct ListenOptions {
  Address address;
  std::optional<TlsOptions> tls;
  bool operator==(const ListenOptions&) const = default;
};

struct AdminOptions {
  Address address{.host = "127.0.0.1", .port = 8090};
  std::optional<Secret> token;  // the contents of token_file
  bool operator==(const AdminOptions&) const = default;
};

}  // namespace stateway::gateway
