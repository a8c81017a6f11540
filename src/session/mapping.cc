#include "session/mapping.h"

#include "base/big_endian.h"

namespace stateway::session {
namespace {

constexpr char kType = 1;  // other placements seal contents of other types

bool take_millis(std::string_view& in, WallMillis& value) {
  std::uint64_t raw = 0;
  if (!take_big_endian(in, raw)) return false;
  value = static_cast<WallMillis>(raw);
  return value >= 0;
}

}  // namespace

std::string encode_mapping(const Mapping& mapping) {
  std::string out(1, kType);
  out += mapping.ticket.raw();
  append_big_endian(out, mapping.instance);
  append_big_endian(out, static_cast<std::uint64_t>(mapping.created));
  append_big_endian(out, static_cast<std::uint64_t>(mapping.absolute_expires));
  append_big_endian(out, static_cast<std::uint64_t>(mapping.sealed_at));
  out.push_back(mapping.recorded ? 1 : 0);
  return out;
}

std::optional<Mapping> decode_mapping(std::string_view contents) {
  if (contents.size() < 1 + Ticket::kRawBytes || contents.front() != kType) return std::nullopt;
  Mapping out;
  out.ticket = *ticket_from_raw(contents.substr(1, Ticket::kRawBytes));
  contents.remove_prefix(1 + Ticket::kRawBytes);
  std::uint8_t recorded = 0;
  if (!take_big_endian(contents, out.instance) || !take_millis(contents, out.created) ||
      !take_millis(contents, out.absolute_expires) || !take_millis(contents, out.sealed_at) ||
      !take_big_endian(contents, recorded) || recorded > 1 || !contents.empty())
    return std::nullopt;
  out.recorded = recorded == 1;
  return out;
}

}  // namespace stateway::session
