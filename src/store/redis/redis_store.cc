#include "store/redis/redis_store.h"

#include <algorithm>
#include <utility>

#include "store/batch.h"
#include "store/redis/keys.h"
#include "store/redis/part.h"

namespace stateway::store::redis {
namespace {

constexpr WallMillis kMillisMax = (std::int64_t{1} << 53) - 1;  // that Lua's numbers hold exactly

// Before a commit runs again where its key is now; doubles. Servers that just change need some time.
constexpr Duration kPauseMin = 5ms;
constexpr Duration kPauseMax = 100ms;

std::string millis_until(WallMillis expires_at, WallMillis now) {
  return std::to_string(std::clamp<WallMillis>(std::min(expires_at, kMillisMax) - now, 1, kMillisMax / 2) +
                        kSpareMillis);
}

std::string in_millis(Duration d) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
}

void append_write(std::vector<std::string>& arguments, const Write& write, WallMillis now) {
  arguments.push_back(std::to_string(write.expected));
  if (!write.record) {
    arguments.resize(arguments.size() + 7);
    return;
  }
  const Record& record = *write.record;
  arguments.push_back(std::to_string(record.revision));
  arguments.emplace_back(encode_state(record.state));
  arguments.push_back(std::to_string(record.expires_at));
  arguments.push_back(millis_until(record.expires_at, now));
  arguments.push_back(record.principal);
  arguments.push_back(record.value);
  arguments.push_back(encode_applied(record.applied));
}

std::int64_t creations(const Batch& batch) {
  return std::ranges::count_if(batch.writes, [](const Write& w) { return w.record && w.expected == 0; });
}

bool is(const Reply& outcome, std::string_view word) {
  return !outcome.elements.empty() && outcome.elements.front().text == word;
}

}  // namespace

RedisStore::RedisStore(std::unique_ptr<Topology> topology, const WallClock& clock, Duration timeout,
                       std::uint64_t sessions_max)
    : topology_(std::move(topology)), clock_(clock), timeout_(timeout), sessions_max_(sessions_max) {}

RedisStore::~RedisStore() = default;

void RedisStore::attach(io::Loop& loop, io::Network& network) {
  parts_.add(loop, std::make_unique<Part>(loop, topology_->make_router(loop, network)));
}

void RedisStore::detach(io::Loop& loop) { parts_.remove(loop); }

io::Task<Result<void>> RedisStore::open(io::Loop& loop) {
  Part& part = parts_.on(loop);
  if (auto found = co_await find_durability(part, true); !found) co_return found;
  co_return co_await recount(part, part.deadline(timeout_));
}

std::size_t RedisStore::partition(std::string_view key) const {
  return topology_->partition(record_key(key));
}

io::Task<Result<std::optional<Record>>> RedisStore::load(io::Loop& loop, std::string key) {
  Part& part = parts_.on(loop);
  Request request{.key = record_key(key), .command = load_command(key)};
  auto answer = co_await part.router->ask(std::move(request), part.deadline(timeout_));
  if (!answer) co_return pass_on(std::move(answer));
  auto record = decode_record(std::move(answer->reply));
  if (record && *record && (*record)->expires_at <= clock_.now()) record->reset();
  co_return record;
}

std::int64_t RedisStore::room() const {
  const auto most = static_cast<std::int64_t>(
      std::min<std::uint64_t>(sessions_max_.load(), std::numeric_limits<std::int64_t>::max() / 2));
  return most - (counters_.records.load() - counters_.ended.load());
}

// One round trip, but for what must be in an index before it is there: new records, those that expire earlier
// than before, and log-ins. A crash in between leaves an entry too many, never one too few.
io::Task<Result<Committed>> RedisStore::commit(io::Loop& loop, Batch batch) {
  if (auto checked = check_batch(batch); !checked) co_return pass_on(std::move(checked));
  Part& part = parts_.on(loop);
  const TimePoint deadline = part.deadline(timeout_);
  bool once_more = false;
  bool indexed = false;
  Duration pause = kPauseMin;
  // Where there is no room the script says so first: a refused record must not be in an index.
  const std::int64_t created = creations(batch);
  for (bool index = created > 0 && created <= room();; index = true) {
    if (index) {
      const auto added = co_await write_index(part, entries_of(batch), deadline);
      if (!added) co_return std::unexpected<Error>(added.error());
      indexed = true;
      once_more = !*added;
    }
    const auto answer = co_await run_commit(part, batch, indexed, deadline);
    if (!answer) co_return std::unexpected<Error>(answer.error());
    const Reply& outcome = answer->reply;
    if (is(outcome, "INDEX") && !indexed) continue;
    auto committed = conclude(batch, outcome);
    if (committed && is(outcome, "OK")) tidy_up(part, batch, outcome);
    // An entry that was there already may since have been removed by whoever erased its record.
    if (committed && once_more) part.background.spawn(index_again(part, entries_of(batch), deadline));
    const Confirmed asked{.on_disk = on_disk_, .replicas = replicas_};
    if (committed && asked.anything()) {
      const std::string key = record_key(batch.writes.front().key);
      auto confirmed =
          co_await part.confirmations.wait(topology_->partition(key), key, answer->server, asked, deadline);
      // A failover since, or a slot that moved: there the script runs again, for nothing if the commit came
      // along.
      const bool elsewhere = !confirmed && confirmed.error().retry == Retry::always;
      if (elsewhere && batch.id.gateway != 0 && loop.now() < deadline) {
        co_await io::SleepUntil(loop, std::min(deadline, loop.now() + pause));
        pause = std::min(pause * 2, kPauseMax);
        continue;
      }
      if (!confirmed) co_return pass_on(std::move(confirmed));
    }
    co_return committed;
  }
}

/// The script's answer.
io::Task<Result<Answer>> RedisStore::run_commit(Part& part, const Batch& batch, bool indexed,
                                                TimePoint deadline) {
  const WallMillis now = clock_.now();
  std::vector<std::string> keys;
  std::vector<std::string> arguments{std::to_string(now),
                                     std::to_string(indexed ? std::max(room(), creations(batch)) : room()),
                                     std::to_string(batch.id.gateway),
                                     std::to_string(batch.id.sequence),
                                     std::to_string(batch.lease),
                                     indexed ? "1" : "0"};
  for (const Write& write : batch.writes) {
    keys.push_back(record_key(write.key));
    append_write(arguments, write, now);
  }
  // Not for nothing: while a slot of a cluster is on its way, commands wait of whose keys one is missing.
  if (batch.lease != 0) keys.push_back(lease_key(batch.writes.front().key));
  co_return co_await run_script(*part.router, commit_script(), std::move(keys), std::move(arguments),
                                deadline, batch.id.gateway != 0);
}

Result<Committed> RedisStore::conclude(const Batch& batch, const Reply& outcome) {
  const std::optional<Record>& first = batch.writes.front().record;
  const Committed committed{.revision = first ? first->revision : 0};
  if (is(outcome, "REPEAT")) return committed;
  if (is(outcome, "CONFLICT")) {
    ++counters_.conflicts;
    return fail(Code::conflict, Side::store, {}, Retry::always);
  }
  if (is(outcome, "LEASE")) return fail(Code::lease_lost, Side::store);
  if (is(outcome, "FULL")) return fail(Code::sessions_full, Side::store);
  if (!is(outcome, "OK") || outcome.elements.size() != batch.writes.size() + 1)
    return fail(Code::store_unavailable, Side::store, "redis: an answer that the script does not give");
  count(batch, outcome);
  return committed;
}

std::vector<RedisStore::IndexEntry> RedisStore::entries_of(const Batch& batch) {
  std::vector<IndexEntry> entries;
  for (const Write& write : batch.writes)
    if (write.record) entries.push_back({write.key, write.record->expires_at, write.record->principal});
  return entries;
}

/// True: all of them are new, or have a later time than before.
io::Task<Result<bool>> RedisStore::write_index(Part& part, std::vector<IndexEntry> entries,
                                               TimePoint deadline) {
  const std::string now = std::to_string(clock_.now());
  std::vector<io::Task<Result<Answer>>> tasks;
  bool added = true;
  for (const IndexEntry& entry : entries) {
    tasks.push_back(run_script(*part.router, index_script(), {index_key(shard_of(entry.key))},
                               {now, std::to_string(entry.expires_at), entry.key}, deadline));
    if (entry.principal.empty()) continue;
    added = false;  // who reads it before the commit finds it wrong, and takes it out
    tasks.push_back(
        run_command(*part.router, principal_key(entry.principal), {"ZADD", "0", entry.key}, deadline));
  }
  for (const Result<Answer>& answer : co_await gather(std::move(tasks))) {
    if (!answer) co_return std::unexpected<Error>(answer.error());
    added = added && answer->reply.integer == 1;
  }
  co_return added;
}

io::Task<void> RedisStore::index_again(Part& part, std::vector<IndexEntry> entries, TimePoint deadline) {
  (void)co_await write_index(part, std::move(entries), deadline);
}

void RedisStore::count(const Batch& batch, const Reply& outcome) {
  std::int64_t records = 0, ended = 0;
  for (std::size_t i = 0; i < batch.writes.size(); ++i) {
    const std::string& before = outcome.elements[i + 1].text;
    const std::optional<Record>& after = batch.writes[i].record;
    records += (after ? 1 : 0) - (before.empty() ? 0 : 1);
    ended += (after && after->state == State::ended ? 1 : 0) - (before == encode_state(State::ended) ? 1 : 0);
  }
  counters_.records += records;
  counters_.ended += ended;
  ++counters_.commits;
}

/// Index entries that nobody has to wait for.
void RedisStore::tidy_up(Part& part, const Batch& batch, const Reply& outcome) {
  const TimePoint deadline = part.deadline(timeout_);
  for (std::size_t i = 0; i < batch.writes.size(); ++i) {
    const Write& write = batch.writes[i];
    const std::size_t shard = shard_of(write.key);
    const bool was_ended = outcome.elements[i + 1].text == encode_state(State::ended);
    const bool is_ended = write.record && write.record->state == State::ended;
    if (!write.record) part.spawn(run_command(*part.router, index_key(shard), {"ZREM", write.key}, deadline));
    if (is_ended && !was_ended)
      part.spawn(run_command(*part.router, ended_key(shard), {"SADD", write.key}, deadline));
    if (was_ended && !is_ended)
      part.spawn(run_command(*part.router, ended_key(shard), {"SREM", write.key}, deadline));
  }
}

void RedisStore::touch(io::Loop& loop, std::string_view key, WallMillis expires_at) {
  Part& part = parts_.on(loop);
  const WallMillis now = clock_.now();
  part.spawn(run_script(*part.router, touch_script(), {record_key(key)},
                        {std::to_string(now), std::to_string(expires_at), millis_until(expires_at, now)},
                        part.deadline(timeout_)));
}

Stats RedisStore::stats() const {
  Stats stats;
  stats.kind = "redis";
  stats.records = static_cast<std::uint64_t>(std::max<std::int64_t>(0, counters_.records.load()));
  stats.ended = static_cast<std::uint64_t>(std::max<std::int64_t>(0, counters_.ended.load()));
  stats.commits = stats.groups = counters_.commits.load();
  stats.conflicts = counters_.conflicts.load();
  stats.swept = counters_.swept.load();
  stats.durability = durability();
  return stats;
}

/// A lease that may be ours without anybody knowing it: whoever waited for the answer went away, or none
/// came.
struct RedisStore::Unclaimed {
  Unclaimed(RedisStore& s, io::Loop& l, const std::string& k, std::uint64_t t)
      : store(&s), loop(l), key(k), token(t) {}
  Unclaimed(const Unclaimed&) = delete;
  Unclaimed& operator=(const Unclaimed&) = delete;
  ~Unclaimed() {
    if (store != nullptr) store->give_back(loop, key, token);
  }

  RedisStore* store;  // nullptr: there was an answer
  io::Loop& loop;
  const std::string& key;
  std::uint64_t token;
};

io::Task<Result<std::uint64_t>> RedisStore::take(io::Loop& loop, std::string key, Duration ttl) {
  Part& part = parts_.on(loop);
  const std::uint64_t token = random_.u64() >> 11 | 1;
  Unclaimed unclaimed(*this, loop, key, token);
  std::vector<std::string> keys{lease_key(key)};
  std::vector<std::string> arguments{std::to_string(token), in_millis(ttl)};
  const auto answer = co_await run_script(*part.router, take_script(), std::move(keys), std::move(arguments),
                                          part.deadline(timeout_));
  if (!answer) co_return std::unexpected<Error>(answer.error());
  unclaimed.store = nullptr;
  co_return answer->reply.integer == 1 ? token : 0;
}

void RedisStore::extend(io::Loop& loop, std::string_view key, std::uint64_t token, Duration ttl) {
  Part& part = parts_.on(loop);
  part.spawn(run_script(*part.router, extend_script(), {lease_key(key)},
                        {std::to_string(token), in_millis(ttl)}, part.deadline(timeout_)));
}

void RedisStore::give_back(io::Loop& loop, std::string_view key, std::uint64_t token) {
  Part& part = parts_.on(loop);
  part.spawn(run_script(*part.router, give_back_script(), {lease_key(key)}, {std::to_string(token)},
                        part.deadline(timeout_)));
}

}  // namespace stateway::store::redis
