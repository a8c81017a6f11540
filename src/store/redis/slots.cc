#include "store/redis/slots.h"

#include <array>

#include "base/bytes.h"

namespace stateway::store::redis {
namespace {

constexpr std::array<std::uint16_t, 256> kCrcOfByte = [] {
  std::array<std::uint16_t, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    std::uint16_t crc = static_cast<std::uint16_t>(byte << 8);
    for (int bit = 0; bit < 8; ++bit)
      crc = static_cast<std::uint16_t>((crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1);
    table[byte] = crc;
  }
  return table;
}();

std::string_view hashed_part(std::string_view key) {
  const auto open = key.find('{');
  if (open == key.npos) return key;
  const auto close = key.find('}', open + 1);
  if (close == key.npos || close == open + 1) return key;
  return key.substr(open + 1, close - open - 1);
}

/// Takes the first word off.
std::string_view take_word(std::string_view& text) {
  const auto blank = text.find(' ');
  const auto word = text.substr(0, blank);
  text.remove_prefix(blank == text.npos ? text.size() : blank + 1);
  return word;
}

}  // namespace

Slot slot_of(std::string_view key) {
  std::uint16_t crc = 0;
  for (const char c : hashed_part(key))
    crc =
        static_cast<std::uint16_t>(crc << 8 ^ kCrcOfByte[(crc >> 8 ^ static_cast<unsigned char>(c)) & 0xff]);
  return crc % kSlots;
}

std::optional<Redirect> parse_redirect(std::string_view error, const Address& from) {
  Redirect redirect;
  const auto word = take_word(error);
  redirect.ask = word == "ASK";
  if (!redirect.ask && word != "MOVED") return std::nullopt;
  const auto slot = parse_decimal(take_word(error));
  const auto colon = error.rfind(':');
  if (!slot || *slot >= kSlots || colon == error.npos) return std::nullopt;
  auto to = parse_node_address(error.substr(0, colon), error.substr(colon + 1), from);
  if (!to) return std::nullopt;
  redirect.slot = static_cast<Slot>(*slot);
  redirect.to = std::move(*to);
  return redirect;
}

std::optional<Address> parse_node_address(std::string_view host, std::string_view port, const Address& from) {
  // "?": a node without the name it should announce. Where it is then, only its own address could tell.
  if (host == "?") return std::nullopt;
  if (host.empty()) host = from.host;
  const bool v6 = host.contains(':');
  auto address = parse_address((v6 ? "[" : "") + std::string(host) + (v6 ? "]:" : ":") + std::string(port));
  if (!address || address->kind != Address::Kind::tcp || address->port == 0) return std::nullopt;
  return std::move(*address);
}

}  // namespace stateway::store::redis
