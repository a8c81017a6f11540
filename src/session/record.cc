#include "session/record.h"

#include <concepts>
#include <cstdint>

#include "base/check.h"

namespace stateway::session {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kHeadBytes = 1 + 8 + 8 + kHashBytes + 1 + 4;

template <std::unsigned_integral T>
void append_big_endian(std::string& out, T value) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift));
}

/// `in` is long enough.
template <std::unsigned_integral T>
T take_big_endian(std::string_view& in) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value = value << 8 | static_cast<unsigned char>(in[i]);
  in.remove_prefix(sizeof(T));
  return static_cast<T>(value);
}

}  // namespace

std::string encode_record(const SessionRecord& record) {
  CHECK(record.kind.size() <= 0xff && record.secret_hash.size() == kHashBytes &&
        record.document.size() <= 0xffff'ffff);
  std::string out;
  out.reserve(kHeadBytes + record.kind.size() + record.document.size());
  out.push_back(kVersion);
  append_big_endian(out, static_cast<std::uint64_t>(record.created));
  append_big_endian(out, static_cast<std::uint64_t>(record.absolute_expires));
  out += record.secret_hash;
  append_big_endian(out, static_cast<std::uint8_t>(record.kind.size()));
  append_big_endian(out, static_cast<std::uint32_t>(record.document.size()));
  out += record.kind;
  out += record.document;
  return out;
}

Result<SessionRecord> decode_record(std::string_view value) {
  if (value.empty() || value.front() != kVersion)
    return fail(Code::internal, Side::store, "a session record of an unknown version");
  const auto damaged = [] { return fail(Code::internal, Side::store, "a damaged session record"); };
  if (value.size() < kHeadBytes) return damaged();
  value.remove_prefix(1);
  SessionRecord out;
  out.created = static_cast<WallMillis>(take_big_endian<std::uint64_t>(value));
  out.absolute_expires = static_cast<WallMillis>(take_big_endian<std::uint64_t>(value));
  if (out.created < 0 || out.absolute_expires < 0) return damaged();
  out.secret_hash = value.substr(0, kHashBytes);
  value.remove_prefix(kHashBytes);
  const std::size_t kind_bytes = take_big_endian<std::uint8_t>(value);
  const std::size_t document_bytes = take_big_endian<std::uint32_t>(value);
  if (value.size() != kind_bytes + document_bytes) return damaged();
  out.kind = value.substr(0, kind_bytes);
  out.document = value.substr(kind_bytes);
  return out;
}

}  // namespace stateway::session
