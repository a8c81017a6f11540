#include "base/peer_network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>
#include <span>

#include "base/bytes.h"

namespace stateway {
namespace {

constexpr std::string_view kUnix = "unix";
constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};  // ::ffff:0:0/96
constexpr unsigned kMappedBits = 96;

std::unexpected<Error> refuse(std::string sentence) {
  return fail(Code::invalid_argument, Side::self, std::move(sentence));
}

/// Whether the first `bits` of both are the same.
bool same_prefix(const std::array<std::uint8_t, 16>& a, const std::array<std::uint8_t, 16>& b,
                 unsigned bits) {
  const unsigned whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  if (bits % 8 == 0) return true;
  const unsigned mask = 0xffu << (8 - bits % 8);
  return ((a[whole] ^ b[whole]) & mask & 0xffu) == 0;
}

/// Every bit after the first `bits` is zero.
bool zero_after(const std::array<std::uint8_t, 16>& octets, unsigned bits) {
  std::array<std::uint8_t, 16> head{};
  for (unsigned i = 0; i < bits; ++i)
    head[i / 8] |= static_cast<std::uint8_t>(octets[i / 8] & (0x80u >> (i % 8)));
  return head == octets;
}

}  // namespace

bool PeerNetwork::read_ip(std::string_view text, Ip& out) {
  char terminated[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof terminated || text.find('\0') != std::string_view::npos) return false;
  *std::copy(text.begin(), text.end(), terminated) = '\0';
  out.octets = {};
  if (inet_pton(AF_INET, terminated, out.octets.data()) == 1) {
    out.family = Family::v4;
    return true;
  }
  out.family = Family::v6;
  return inet_pton(AF_INET6, terminated, out.octets.data()) == 1;
}

Result<PeerNetwork> PeerNetwork::parse(std::string_view text) {
  PeerNetwork network;
  if (text == kUnix) return network;

  const std::size_t slash = text.find('/');
  Ip ip{};
  if (!read_ip(text.substr(0, slash), ip))
    return refuse("neither an IP address, nor a block such as 10.0.0.0/8, nor unix");
  const unsigned width = ip.family == Family::v4 ? 32 : 128;
  unsigned bits = width;
  if (slash != std::string_view::npos) {
    const std::optional<std::uint64_t> given = parse_decimal(text.substr(slash + 1));
    if (!given || *given > width)
      return refuse("the prefix length must be a number from 0 to " + std::to_string(width));
    bits = static_cast<unsigned>(*given);
  }
  if (!zero_after(ip.octets, bits))
    return refuse("the address has bits set after the first " + std::to_string(bits));

  network.family_ = ip.family;
  network.octets_ = ip.octets;
  network.prefix_bits_ = static_cast<std::uint8_t>(bits);
  if (ip.family == Family::v6 && bits >= kMappedBits &&
      std::ranges::equal(kMapped, std::span(ip.octets).first(12))) {
    network.family_ = Family::v4;
    network.octets_ = {};
    std::copy(ip.octets.begin() + 12, ip.octets.end(), network.octets_.begin());
    network.prefix_bits_ = static_cast<std::uint8_t>(bits - kMappedBits);
  }
  return network;
}

bool PeerNetwork::contains(std::string_view peer) const {
  if (family_ == Family::unix_socket) return peer == kUnix;
  Ip ip{};
  if (!read_ip(peer, ip)) return false;
  if (ip.family == Family::v6 && std::ranges::equal(kMapped, std::span(ip.octets).first(12))) {
    std::copy(ip.octets.begin() + 12, ip.octets.end(), ip.octets.begin());
    std::fill(ip.octets.begin() + 4, ip.octets.end(), std::uint8_t{0});
    ip.family = Family::v4;
  }
  return ip.family == family_ && same_prefix(ip.octets, octets_, prefix_bits_);
}

std::string PeerNetwork::text() const {
  if (family_ == Family::unix_socket) return std::string(kUnix);
  char out[INET6_ADDRSTRLEN];
  inet_ntop(family_ == Family::v4 ? AF_INET : AF_INET6, octets_.data(), out, sizeof out);
  return std::string(out) + "/" + std::to_string(prefix_bits_);
}

}  // namespace stateway
