// Which of a cluster's 16384 slots a key belongs to, and what a server says that does not have it.
// https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address.h"

namespace stateway::store::redis {

using Slot = std::uint16_t;
inline constexpr Slot kSlots = 16384;

/// CRC16 (XMODEM) of the key, or of what stands between its first '{' and the next '}' if that is not empty.
/// Pure; any thread.
Slot slot_of(std::string_view key);

/// "MOVED 3999 127.0.0.1:6381" or "ASK …".
struct Redirect {
  bool ask = false;  // this once, after ASKING; the slot stays where it was
  Slot slot = 0;
  Address to;

  bool operator==(const Redirect&) const = default;
};

/// nullopt for other errors and for what cannot be read. Without a host it means that of `from`, who said it.
/// Pure; any thread.
std::optional<Redirect> parse_redirect(std::string_view error, const Address& from);

/// A server as clusters write it: "10.0.0.1:6379", "::1:6379", "node-1.example:6379", ":6379" (that of
/// `from`).
std::optional<Address> parse_node_address(std::string_view host, std::string_view port, const Address& from);

}  // namespace stateway::store::redis
