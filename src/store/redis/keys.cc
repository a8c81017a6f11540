#include "store/redis/keys.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "base/bytes.h"
#include "store/batch.h"

namespace stateway::store::redis {
namespace {

std::string braced(std::string_view key) {
  return "stateway:{" + base64url_encode(as_bytes(tag_of(key))) + "}:";
}

template <class Number>
bool read_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_applied(std::string_view text, std::vector<CommitId>& out) {
  const auto take = [&](std::uint64_t& number) {
    const std::size_t end = text.find(' ');
    const bool read = read_number(text.substr(0, end), number);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    return read;
  };
  while (!text.empty()) {
    CommitId id;
    if (!take(id.gateway) || !take(id.sequence) || out.size() == kAppliedMax) return false;
    out.push_back(id);
  }
  return true;
}

bool read_state(std::string_view text, State& out) {
  for (const State state : {State::live, State::moved, State::ended}) {
    if (text != encode_state(state)) continue;
    out = state;
    return true;
  }
  return false;
}

}  // namespace

std::string record_key(std::string_view key) {
  return braced(key) + base64url_encode(as_bytes(key.substr(tag_of(key).size())));
}
std::string lease_key(std::string_view key) { return braced(key) + ":lease"; }
std::string index_key(std::size_t shard) { return fmt::format("stateway:index:{:02x}", shard); }
std::string ended_key(std::size_t shard) { return fmt::format("stateway:ended:{:02x}", shard); }
std::string principal_key(std::string_view principal) {
  return "stateway:principal:" + base64url_encode(as_bytes(principal));
}

std::string encode_applied(const std::vector<CommitId>& applied) {
  std::string out;
  for (const CommitId& id : applied)
    out += fmt::format("{}{} {}", out.empty() ? "" : " ", id.gateway, id.sequence);
  return out;
}

std::string_view encode_state(State state) {
  switch (state) {
    case State::live:
      return "0";
    case State::moved:
      return "1";
    case State::ended:
      return "2";
  }
  return "2";
}

std::string load_command(std::string_view key) {
  const std::string name = record_key(key);
  std::vector<std::string_view> words{"HMGET", name};
  words.insert(words.end(), std::begin(kFields), std::end(kFields));
  return format_command(words);
}

Result<std::optional<Record>> decode_record(Reply reply) {
  const auto damaged = [] {
    return fail(Code::store_unavailable, Side::store, "a record in Redis is damaged");
  };
  if (reply.is_error()) return fail(Code::store_unavailable, Side::store, "redis: " + reply.text);
  std::vector<Reply>& fields = reply.elements;
  if (fields.size() != std::size(kFields)) return damaged();
  if (fields[0].is_nil()) return std::optional<Record>();
  for (const Reply& field : fields)
    if (field.kind != Reply::Kind::text) return damaged();
  Record record;
  if (!read_number(fields[0].text, record.revision) || !read_state(fields[1].text, record.state) ||
      !read_number(fields[2].text, record.expires_at) || !read_applied(fields[5].text, record.applied))
    return damaged();
  record.principal = std::move(fields[3].text);
  record.value = std::move(fields[4].text);
  return std::optional<Record>(std::move(record));
}

}  // namespace stateway::store::redis
