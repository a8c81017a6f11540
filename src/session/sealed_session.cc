#include "session/sealed_session.h"

#include "base/big_endian.h"
#include "base/check.h"

namespace stateway::session {
namespace {

enum Type : char { kPlace = 1, kDocument = 2 };

constexpr std::size_t kFrontBytes = 1 + Ticket::kRawBytes + 4 * sizeof(std::uint64_t);

bool take_millis(std::string_view& in, WallMillis& value) {
  std::uint64_t raw = 0;
  if (!take_big_endian(in, raw)) return false;
  value = static_cast<WallMillis>(raw);
  return value >= 0;
}

std::string front(const SealedSession& s, Type type) {
  std::string out(1, type);
  out += s.ticket.raw();
  for (const WallMillis at : {s.created, s.absolute_expires, s.sealed_at, s.idle_expires})
    append_big_endian(out, static_cast<std::uint64_t>(at));
  return out;
}

std::optional<SealedPlace> take_place(std::string_view rest) {
  SealedPlace out;
  std::uint8_t recorded = 0;
  if (!take_big_endian(rest, out.instance) || !take_big_endian(rest, recorded) || recorded > 1 ||
      !rest.empty())
    return std::nullopt;
  out.recorded = recorded == 1;
  return out;
}

std::optional<SealedDocument> take_document(std::string_view rest) {
  SealedDocument out;
  std::uint16_t principal_bytes = 0;
  if (!take_big_endian(rest, out.version) || !take_big_endian(rest, principal_bytes) ||
      rest.size() < principal_bytes)
    return std::nullopt;
  out.principal = rest.substr(0, principal_bytes);
  out.document = rest.substr(principal_bytes);
  return out;
}

}  // namespace

std::string encode_sealed(const SealedSession& session) {
  if (const SealedPlace* place = session.place()) {
    std::string out = front(session, kPlace);
    append_big_endian(out, place->instance);
    out.push_back(place->recorded ? 1 : 0);
    return out;
  }
  const SealedDocument& held = *session.document();
  CHECK(held.principal.size() <= 0xffff);
  std::string out = front(session, kDocument);
  out.reserve(sealed_document_bytes(held.principal.size(), held.document.size()));
  append_big_endian(out, held.version);
  append_big_endian(out, static_cast<std::uint16_t>(held.principal.size()));
  out += held.principal;
  out += held.document;
  return out;
}

std::size_t sealed_document_bytes(std::size_t principal_bytes, std::size_t document_bytes) {
  return kFrontBytes + sizeof(store::Revision) + sizeof(std::uint16_t) + principal_bytes + document_bytes;
}

std::optional<SealedSession> decode_sealed(std::string_view contents) {
  if (contents.size() < kFrontBytes) return std::nullopt;
  const char type = contents.front();
  SealedSession out;
  out.ticket = *ticket_from_raw(contents.substr(1, Ticket::kRawBytes));
  contents.remove_prefix(1 + Ticket::kRawBytes);
  for (WallMillis* at : {&out.created, &out.absolute_expires, &out.sealed_at, &out.idle_expires})
    if (!take_millis(contents, *at)) return std::nullopt;
  const auto keep = [&out](auto held) -> std::optional<SealedSession> {
    if (!held) return std::nullopt;
    out.holds = std::move(*held);
    return std::move(out);
  };
  if (type == kPlace) return keep(take_place(contents));
  if (type == kDocument) return keep(take_document(contents));
  return std::nullopt;
}

}  // namespace stateway::session
