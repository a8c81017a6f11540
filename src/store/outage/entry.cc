#include "store/outage/entry.h"

#include "base/big_endian.h"

namespace stateway::store::outage {
namespace {

constexpr std::uint8_t kVersion = 1;

void append_text(std::string& out, std::string_view text) {
  append_big_endian(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

bool take_text(std::string_view& in, std::string& text) {
  std::uint32_t bytes = 0;
  if (!take_big_endian(in, bytes) || in.size() < bytes) return false;
  text = in.substr(0, bytes);
  in.remove_prefix(bytes);
  return true;
}

bool take_millis(std::string_view& in, WallMillis& value) {
  std::uint64_t raw = 0;
  if (!take_big_endian(in, raw)) return false;
  value = static_cast<WallMillis>(raw);
  return value >= 0;
}

void append_id(std::string& out, const CommitId& id) {
  append_big_endian(out, id.gateway);
  append_big_endian(out, id.sequence);
}

bool take_id(std::string_view& in, CommitId& id) {
  return take_big_endian(in, id.gateway) && take_big_endian(in, id.sequence);
}

void append_record(std::string& out, const Record& record) {
  append_big_endian(out, record.revision);
  append_big_endian(out, static_cast<std::uint8_t>(record.state));
  append_big_endian(out, static_cast<std::uint64_t>(record.expires_at));
  append_text(out, record.principal);
  append_text(out, record.value);
  append_big_endian(out, static_cast<std::uint8_t>(record.applied.size()));
  for (const CommitId& id : record.applied) append_id(out, id);
}

bool take_record(std::string_view& in, Record& record) {
  std::uint8_t state = 0, applied = 0;
  if (!take_big_endian(in, record.revision) || !take_big_endian(in, state) ||
      state > static_cast<std::uint8_t>(State::ended) || !take_millis(in, record.expires_at) ||
      !take_text(in, record.principal) || !take_text(in, record.value) || !take_big_endian(in, applied))
    return false;
  record.state = static_cast<State>(state);
  record.applied.resize(applied);
  for (CommitId& id : record.applied)
    if (!take_id(in, id)) return false;
  return true;
}

bool take_write(std::string_view& in, Write& write) {
  std::uint8_t has_record = 0;
  if (!take_text(in, write.key) || !take_big_endian(in, write.expected) || !take_big_endian(in, has_record) ||
      has_record > 1)
    return false;
  return has_record == 0 || take_record(in, write.record.emplace());
}

}  // namespace

std::string encode_entry(What what, WallMillis at, const Batch& batch) {
  std::string out;
  append_big_endian(out, kVersion);
  append_big_endian(out, static_cast<std::uint8_t>(what));
  append_big_endian(out, static_cast<std::uint64_t>(at));
  append_id(out, batch.id);
  if (what >= What::done) return out;
  append_text(out, batch.intent);
  append_big_endian(out, static_cast<std::uint8_t>(batch.writes.size()));
  for (const Write& write : batch.writes) {
    append_text(out, write.key);
    append_big_endian(out, write.expected);
    append_big_endian(out, static_cast<std::uint8_t>(write.record ? 1 : 0));
    if (write.record) append_record(out, *write.record);
  }
  return out;
}

std::optional<JournalEntry> decode_entry(std::string_view in) {
  JournalEntry entry;
  std::uint8_t version = 0, what = 0, writes = 0;
  if (!take_big_endian(in, version) || version != kVersion || !take_big_endian(in, what) ||
      what < static_cast<std::uint8_t>(What::intent) || what > static_cast<std::uint8_t>(What::dropped) ||
      !take_millis(in, entry.at) || !take_id(in, entry.batch.id))
    return std::nullopt;
  entry.what = static_cast<What>(what);
  if (entry.what < What::done) {
    if (!take_text(in, entry.batch.intent) || !take_big_endian(in, writes) || writes == 0)
      return std::nullopt;
    entry.batch.writes.resize(writes);
    for (Write& write : entry.batch.writes)
      if (!take_write(in, write)) return std::nullopt;
  }
  if (!in.empty()) return std::nullopt;
  return entry;
}

}  // namespace stateway::store::outage
