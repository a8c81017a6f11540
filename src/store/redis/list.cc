// Walks: over the shards of the index in order, or over a principal's keys. What an index names is checked
// against the records.
#include <algorithm>
#include <utility>

#include "store/redis/keys.h"
#include "store/redis/part.h"

namespace stateway::store::redis {
namespace {

constexpr std::size_t kShardsAtOnce = 8;
constexpr std::size_t kRecordsAtOnce = 64;

bool wanted(const Query& query, std::string_view key) {
  return key.starts_with(query.prefix) && (query.after.empty() || key > query.after);
}

io::Task<Result<Answer>> load_one(Router& router, std::string key, TimePoint deadline) {
  Request request{.key = record_key(key), .command = load_command(key)};
  co_return co_await router.ask(std::move(request), deadline);
}

}  // namespace

io::Task<Result<std::vector<Entry>>> RedisStore::list(io::Loop& loop, Query query) {
  Part& part = parts_.on(loop);
  if (query.limit == 0) co_return std::vector<Entry>();
  if (!query.principal.empty()) co_return co_await list_of_principal(part, std::move(query));
  co_return co_await list_all(part, std::move(query));
}

io::Task<Result<std::vector<Entry>>> RedisStore::list_all(Part& part, Query query) {
  std::vector<Entry> entries;
  const std::string_view from = std::max(query.prefix, query.after);
  const std::size_t first = from.empty() ? 0 : shard_of(from);
  const std::size_t last = query.prefix.empty() ? kShards - 1 : shard_of(query.prefix);
  for (std::size_t shard = first; shard <= last && entries.size() < query.limit;) {
    std::vector<io::Task<Result<Answer>>> tasks;
    for (; shard <= last && tasks.size() < kShardsAtOnce; ++shard)
      tasks.push_back(
          run_command(*part.router, index_key(shard), {"ZRANGE", "0", "-1"}, part.deadline(timeout_)));
    for (Result<Answer>& answer : co_await gather(std::move(tasks))) {
      if (!answer) co_return pass_on(std::move(answer));
      std::vector<std::string> keys;
      for (Reply& member : answer->reply.elements)
        if (wanted(query, member.text)) keys.push_back(std::move(member.text));
      std::ranges::sort(keys);
      if (auto loaded = co_await load_into(part, std::move(keys), query, entries); !loaded)
        co_return pass_on(std::move(loaded));
    }
  }
  co_return entries;
}

/// Of the keys, which are in order, those that are there, until there are enough.
io::Task<Result<void>> RedisStore::load_into(Part& part, std::vector<std::string> keys, const Query& query,
                                             std::vector<Entry>& entries) {
  const WallMillis now = clock_.now();
  for (std::size_t at = 0; at < keys.size() && entries.size() < query.limit;) {
    const std::size_t begin = at;
    std::vector<io::Task<Result<Answer>>> tasks;
    for (const std::size_t most = std::min(kRecordsAtOnce, query.limit - entries.size());
         at < keys.size() && tasks.size() < most; ++at)
      tasks.push_back(load_one(*part.router, keys[at], part.deadline(timeout_)));
    auto answers = co_await gather(std::move(tasks));
    std::vector<std::string> strangers;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (!answers[i]) co_return std::unexpected<Error>(answers[i].error());
      auto record = decode_record(std::move(answers[i]->reply));
      if (!record) co_return pass_on(std::move(record));
      const bool there = *record && (query.principal.empty() || (*record)->principal == query.principal);
      if (!there) strangers.push_back(keys[begin + i]);
      if (there && (*record)->expires_at > now)
        entries.push_back({std::move(keys[begin + i]), std::move(**record)});
    }
    if (query.principal.empty() || strangers.empty()) continue;
    if (auto checked = co_await check_principal(part, std::move(strangers), query.principal); !checked)
      co_return checked;
  }
  co_return Result<void>();
}

io::Task<Result<std::vector<Entry>>> RedisStore::list_of_principal(Part& part, Query query) {
  std::vector<Entry> entries;
  std::string from = "[" + query.prefix;
  if (!query.after.empty() && query.after >= query.prefix) from = "(" + query.after;
  while (entries.size() < query.limit) {
    std::vector<std::string> words{"ZRANGEBYLEX", from, "+", "LIMIT", "0", std::to_string(kRecordsAtOnce)};
    auto answer = co_await run_command(*part.router, principal_key(query.principal), std::move(words),
                                       part.deadline(timeout_));
    if (!answer) co_return pass_on(std::move(answer));
    const bool more = answer->reply.elements.size() == kRecordsAtOnce;
    std::vector<std::string> keys;
    for (Reply& member : answer->reply.elements) {
      from = "(" + member.text;
      if (member.text.starts_with(query.prefix)) keys.push_back(std::move(member.text));
    }
    const bool beyond = keys.size() < answer->reply.elements.size();
    if (auto loaded = co_await load_into(part, std::move(keys), query, entries); !loaded)
      co_return pass_on(std::move(loaded));
    if (!more || beyond) break;
  }
  co_return entries;
}

/// Takes entries out whose records carry another log-in, or are not there. One that just comes is put back.
io::Task<Result<void>> RedisStore::check_principal(Part& part, std::vector<std::string> strangers,
                                                   std::string principal) {
  const TimePoint deadline = part.deadline(timeout_);
  const std::string name = principal_key(principal);
  std::vector<io::Task<Result<Answer>>> tasks;
  for (const std::string& key : strangers)
    tasks.push_back(run_command(*part.router, name, {"ZREM", key}, deadline));
  for (const Result<Answer>& answer : co_await gather(std::move(tasks)))
    if (!answer) co_return std::unexpected<Error>(answer.error());
  tasks.clear();
  for (const std::string& key : strangers) tasks.push_back(load_one(*part.router, key, deadline));
  auto answers = co_await gather(std::move(tasks));
  tasks.clear();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i]) co_return std::unexpected<Error>(answers[i].error());
    const auto record = decode_record(std::move(answers[i]->reply));
    if (record && *record && (*record)->principal == principal)
      tasks.push_back(run_command(*part.router, name, {"ZADD", "0", strangers[i]}, deadline));
  }
  for (const Result<Answer>& answer : co_await gather(std::move(tasks)))
    if (!answer) co_return std::unexpected<Error>(answer.error());
  co_return Result<void>();
}

}  // namespace stateway::store::redis
