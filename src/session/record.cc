#include "session/record.h"

#include <cstdint>

#include "base/big_endian.h"
#include "base/bytes.h"
#include "base/check.h"

namespace stateway::session {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kHeadBytes = 1 + 8 + 8 + kHashBytes + 1 + 1 + 4;

bool take_millis(std::string_view& in, WallMillis& value) {
  std::uint64_t raw = 0;
  if (!take_big_endian(in, raw)) return false;
  value = static_cast<WallMillis>(raw);
  return value >= 0;
}

}  // namespace

std::string_view home_name(Home home) {
  constexpr std::string_view kNames[] = {"store", "client", "instance"};
  return kNames[static_cast<std::size_t>(home)];
}

bool is_principal(std::string_view text) { return text.size() <= kPrincipalBytesMax && is_utf8(text); }

std::string encode_record(const SessionRecord& record) {
  CHECK(record.kind.size() <= 0xff && record.secret_hash.size() == kHashBytes &&
        record.document.size() <= 0xffff'ffff);
  std::string out;
  out.reserve(kHeadBytes + record.kind.size() + record.document.size());
  out.push_back(kVersion);
  append_big_endian(out, static_cast<std::uint64_t>(record.created));
  append_big_endian(out, static_cast<std::uint64_t>(record.absolute_expires));
  out += record.secret_hash;
  append_big_endian(out, static_cast<std::uint8_t>(record.home));
  append_big_endian(out, static_cast<std::uint8_t>(record.kind.size()));
  append_big_endian(out, static_cast<std::uint32_t>(record.document.size()));
  out += record.kind;
  out += record.document;
  return out;
}

Result<RecordView> view_record(std::string_view value) {
  if (value.empty() || value.front() != kVersion)
    return fail(Code::internal, Side::store, "a session record of an unknown version");
  const auto damaged = [] { return fail(Code::internal, Side::store, "a damaged session record"); };
  if (value.size() < kHeadBytes) return damaged();
  value.remove_prefix(1);
  RecordView out;
  if (!take_millis(value, out.created) || !take_millis(value, out.absolute_expires)) return damaged();
  out.secret_hash = value.substr(0, kHashBytes);
  value.remove_prefix(kHashBytes);
  std::uint8_t home = 0, kind_bytes = 0;
  std::uint32_t document_bytes = 0;
  if (!take_big_endian(value, home) || !take_big_endian(value, kind_bytes) ||
      !take_big_endian(value, document_bytes) || home > static_cast<std::uint8_t>(Home::instance))
    return damaged();
  out.home = static_cast<Home>(home);
  if (value.size() != std::size_t{kind_bytes} + document_bytes) return damaged();
  out.kind = value.substr(0, kind_bytes);
  out.document = value.substr(kind_bytes);
  return out;
}

Result<SessionRecord> decode_record(std::string_view value) {
  auto view = view_record(value);
  if (!view) return pass_on(std::move(view));
  return SessionRecord{.kind = std::string(view->kind),
                       .created = view->created,
                       .absolute_expires = view->absolute_expires,
                       .secret_hash = std::string(view->secret_hash),
                       .home = view->home,
                       .document = std::string(view->document)};
}

}  // namespace stateway::session
