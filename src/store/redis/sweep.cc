// Removing what has expired, and counting what is there. An index entry is never later than its record's
// expiry, but often earlier: each use of a session moves that, and the sweep moves the entry after it.
#include <algorithm>
#include <utility>

#include "store/redis/keys.h"
#include "store/redis/part.h"

namespace stateway::store::redis {
namespace {

constexpr unsigned kSweepsPerLook = 10;  // what a server is set to changes rarely

}  // namespace

io::Task<Result<std::size_t>> RedisStore::sweep(io::Loop& loop, std::size_t most) {
  Part& part = parts_.on(loop);
  const bool look_again = ++sweeps_ % kSweepsPerLook == 0;
  if (auto found = co_await find_durability(part, look_again); !found) co_return pass_on(std::move(found));
  const auto agree = co_await clocks_agree(part);
  if (!agree) co_return std::unexpected<Error>(agree.error());
  // To another gateway, whose clock is behind ours, a record may be there a little longer.
  const WallMillis now =
      clock_.now() - std::chrono::duration_cast<std::chrono::milliseconds>(clock_margin_).count();
  std::size_t removed = 0;
  while (*agree && removed < most) {
    auto shards = co_await due(part, now, most - removed);
    if (!shards) co_return pass_on(std::move(shards));
    bool any = false;
    for (std::size_t shard = 0; shard < kShards && removed < most; ++shard) {
      std::vector<std::string>& keys = (*shards)[shard];
      if (keys.empty()) continue;
      any = true;
      if (keys.size() > most - removed) keys.resize(most - removed);
      const auto gone = co_await expire(part, shard, std::move(keys), now);
      if (!gone) co_return std::unexpected<Error>(gone.error());
      removed += *gone;
      counters_.swept += *gone;
    }
    if (!any) break;
  }
  if (auto counted = co_await recount(part, part.deadline(timeout_)); !counted)
    co_return pass_on(std::move(counted));
  co_return removed;
}

/// Keys whose entries have expired, by shard.
io::Task<Result<std::vector<std::vector<std::string>>>> RedisStore::due(Part& part, WallMillis now,
                                                                        std::size_t most) {
  const TimePoint deadline = part.deadline(timeout_);
  std::vector<io::Task<Result<Answer>>> tasks;
  for (std::size_t shard = 0; shard < kShards; ++shard)
    tasks.push_back(run_command(
        *part.router, index_key(shard),
        {"ZRANGEBYSCORE", "-inf", std::to_string(now), "LIMIT", "0", std::to_string(most)}, deadline));
  std::vector<std::vector<std::string>> shards(kShards);
  auto answers = co_await gather(std::move(tasks));
  for (std::size_t shard = 0; shard < kShards; ++shard) {
    if (!answers[shard]) co_return std::unexpected<Error>(answers[shard].error());
    for (Reply& member : answers[shard]->reply.elements)
      if (!member.text.empty()) shards[shard].push_back(std::move(member.text));
  }
  co_return shards;
}

/// Returns how many of the records were there and are removed now.
io::Task<Result<std::size_t>> RedisStore::expire(Part& part, std::size_t shard, std::vector<std::string> keys,
                                                 WallMillis now) {
  const TimePoint deadline = part.deadline(timeout_);
  const std::string at = std::to_string(now);
  std::vector<io::Task<Result<Answer>>> tasks;
  for (const std::string& key : keys)
    tasks.push_back(run_script(*part.router, expire_script(), {record_key(key)}, {at}, deadline));
  const auto answers = co_await gather(std::move(tasks));
  tasks.clear();
  std::size_t removed = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!answers[i]) co_return std::unexpected<Error>(answers[i].error());
    const std::vector<Reply>& found = answers[i]->reply.elements;
    if (!found.empty() && !found[0].text.empty()) {
      tasks.push_back(run_script(*part.router, index_script(), {index_key(shard)},
                                 {at, found[0].text, keys[i]}, deadline));
      // A failover may have lost the entry, which no commit writes again.
      if (!found[1].text.empty())
        tasks.push_back(
            run_command(*part.router, principal_key(found[1].text), {"ZADD", "0", keys[i]}, deadline));
      continue;
    }
    tasks.push_back(run_script(*part.router, unindex_script(), {index_key(shard)}, {at, keys[i]}, deadline));
    tasks.push_back(run_command(*part.router, ended_key(shard), {"SREM", keys[i]}, deadline));
    if (found.empty()) continue;
    ++removed;
    if (!found[1].text.empty())
      tasks.push_back(run_command(*part.router, principal_key(found[1].text), {"ZREM", keys[i]}, deadline));
  }
  for (const Result<Answer>& answer : co_await gather(std::move(tasks)))
    if (!answer) co_return std::unexpected<Error>(answer.error());
  co_return removed;
}

/// What other gateways added and removed shows here, and what was lost with a connection.
io::Task<Result<void>> RedisStore::recount(Part& part, TimePoint deadline) {
  std::vector<io::Task<Result<Answer>>> tasks;
  for (std::size_t shard = 0; shard < kShards; ++shard) {
    tasks.push_back(run_command(*part.router, index_key(shard), {"ZCARD"}, deadline));
    tasks.push_back(run_command(*part.router, ended_key(shard), {"SCARD"}, deadline));
  }
  std::int64_t records = 0, ended = 0;
  const auto answers = co_await gather(std::move(tasks));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i]) co_return std::unexpected<Error>(answers[i].error());
    (i % 2 == 0 ? records : ended) += answers[i]->reply.integer;
  }
  counters_.records = records;
  counters_.ended = std::min(ended, records);
  co_return Result<void>();
}

}  // namespace stateway::store::redis
