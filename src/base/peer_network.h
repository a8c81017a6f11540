// A set of peers by address: a CIDR block, one IP address, or everybody who comes by a unix socket.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stateway {

class PeerNetwork {
 public:
  /// Reads "10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1" or "unix". Bits after the prefix must be zero.
  /// An IPv4-mapped block (::ffff:0:0/96 and longer) is the IPv4 block it names.
  /// Errors: invalid_argument with one sentence that does not repeat `text`. Pure; any thread.
  static Result<PeerNetwork> parse(std::string_view text);

  /// Whether `peer` (an IP address in text without port, or "unix") belongs to the set. An IPv4-mapped IPv6
  /// address counts as the IPv4 address it carries; what is no address belongs nowhere. Pure; any thread.
  bool contains(std::string_view peer) const;

  /// The form parse reads, addresses in canonical text: "10.0.0.0/8", "192.0.2.7/32".
  std::string text() const;

  bool operator==(const PeerNetwork&) const = default;

 private:
  enum class Family : std::uint8_t { v4, v6, unix_socket };
  struct Ip {
    Family family;
    std::array<std::uint8_t, 16> octets;  // v4 uses the first four
  };
  static bool read_ip(std::string_view text, Ip& out);

  Family family_ = Family::unix_socket;
  std::array<std::uint8_t, 16> octets_{};
  std::uint8_t prefix_bits_ = 0;
};

}  // namespace stateway
