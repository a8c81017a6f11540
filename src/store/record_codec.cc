#include "store/record_codec.h"

#include "base/big_endian.h"
#include "store/batch.h"

namespace stateway::store {
namespace {

// 2 has the commits that made the record in front of the value; without any it is 1.
constexpr char kVersion = 1;
constexpr char kVersionWithCommits = 2;

bool take_millis(std::string_view& in, WallMillis& value) {
  std::uint64_t raw = 0;
  if (!take_big_endian(in, raw)) return false;
  value = static_cast<WallMillis>(raw);
  return value >= 0;
}

bool take_commits(std::string_view& in, std::vector<CommitId>& commits) {
  if (in.empty()) return false;
  const auto count = static_cast<unsigned char>(in.front());
  in.remove_prefix(1);
  if (count == 0 || count > kAppliedMax) return false;
  commits.resize(count);
  for (CommitId& id : commits)
    if (!take_big_endian(in, id.gateway) || !take_big_endian(in, id.sequence)) return false;
  return true;
}

}  // namespace

std::string encode_head(const Stored& stored) {
  const Record& record = stored.record;
  std::string out;
  out.reserve(31 + record.principal.size() + sizeof(CommitId) * record.applied.size());
  out.push_back(record.applied.empty() ? kVersion : kVersionWithCommits);
  out.push_back(static_cast<char>(record.state));
  append_big_endian(out, record.revision);
  append_big_endian(out, static_cast<std::uint64_t>(record.expires_at));
  append_big_endian(out, static_cast<std::uint64_t>(stored.indexed_at));
  append_big_endian(out, static_cast<std::uint32_t>(record.principal.size()));
  out += record.principal;
  if (!record.applied.empty()) out.push_back(static_cast<char>(record.applied.size()));
  for (const CommitId& id : record.applied) {
    append_big_endian(out, id.gateway);
    append_big_endian(out, id.sequence);
  }
  return out;
}

std::optional<Stored> decode_record(std::string_view in, Part part) {
  if (in.size() < 2 || (in[0] != kVersion && in[0] != kVersionWithCommits) || in[1] < 0 ||
      in[1] > static_cast<char>(State::ended))
    return std::nullopt;
  Stored stored;
  Record& record = stored.record;
  record.state = static_cast<State>(in[1]);
  const bool has_commits = in[0] == kVersionWithCommits;
  in.remove_prefix(2);
  std::uint32_t principal_bytes = 0;
  if (!take_big_endian(in, record.revision) || !take_millis(in, record.expires_at) ||
      !take_millis(in, stored.indexed_at) || !take_big_endian(in, principal_bytes) ||
      in.size() < principal_bytes)
    return std::nullopt;
  record.principal = in.substr(0, principal_bytes);
  in.remove_prefix(principal_bytes);
  if (has_commits && !take_commits(in, record.applied)) return std::nullopt;
  if (part == Part::whole) record.value = in;
  return stored;
}

std::string encode_due(WallMillis at, std::string_view key) {
  std::string out;
  out.reserve(sizeof at + key.size());
  append_big_endian(out, static_cast<std::uint64_t>(at));
  out += key;
  return out;
}

std::optional<Due> decode_due(std::string_view in) {
  Due due;
  if (!take_millis(in, due.at)) return std::nullopt;
  due.key = in;
  return due;
}

namespace {
constexpr std::string_view kNotEnded("\0", 1);
constexpr std::string_view kEnded("\1", 1);
}  // namespace

std::string_view encode_ended(bool ended) { return ended ? kEnded : kNotEnded; }

std::optional<bool> says_ended(std::string_view value) {
  if (value != kEnded && value != kNotEnded) return std::nullopt;
  return value == kEnded;
}

std::string encode_principal(std::string_view principal) {
  // A length in front instead of an end mark: claims may hold any octet, NUL too.
  std::string out;
  append_big_endian(out, static_cast<std::uint32_t>(principal.size()));
  out += principal;
  return out;
}

}  // namespace stateway::store
