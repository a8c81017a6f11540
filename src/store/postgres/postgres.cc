#include "store/postgres/postgres.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/log.h"
#include "store/batch.h"
#include "store/postgres/commit_call.h"
#include "store/postgres/lookout.h"
#include "store/postgres/statements.h"

namespace stateway::store::postgres {
namespace {

constexpr std::size_t kSweepAtOnce = 1000;  // rows that one transaction locks
constexpr std::size_t kReadsUnderWay = 64;
constexpr std::size_t kCommitsUnderWay = 2;  // one is applied while the next one comes in

std::int64_t to_ms(Duration d) { return std::chrono::ceil<std::chrono::milliseconds>(d).count(); }

// Greater than every key that begins with `prefix`; keys have at most kKeyBytesMax octets.
std::string end_of(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (prefix.empty()) return std::string(kKeyBytesMax + 1, '\xff');
  ++prefix.back();
  return prefix;
}

std::string_view name_of(Durability durability) {
  switch (durability) {
    case Durability::sync:
      return "sync";
    case Durability::os:
      return "os";
    case Durability::memory:
      return "memory";
  }
  return "";
}

// A refusal without a state is already a sentence that names the server.
std::unexpected<Error> unavailable(const Refusal& refusal) {
  if (!refusal.state.empty())
    log::error("PostgreSQL refuses a statement", {{"code", refusal.state}, {"error", refusal.message}});
  return fail(Code::store_unavailable, Side::store, refusal.message);
}

}  // namespace

/// What one loop has: its connections, and the touches of this turn.
class PostgresStore::OnLoop final {
 public:
  OnLoop(PostgresStore& store, io::Loop& loop, io::Network& network)
      : store_(store), loop_(loop), turn_end_(std::make_shared<TurnEnd>(*this)) {
    LinkOptions options{.durability = store.options_.durability, .timeout = store.options_.timeout};
    options.under_way_max = kReadsUnderWay;
    reads_ = std::make_unique<Link>(loop, network, store.target_, store, options);
    options.under_way_max = kCommitsUnderWay;
    for (std::uint32_t i = 0; i < store.options_.connections; ++i)
      commits_.push_back(std::make_unique<Link>(loop, network, store.target_, store, options));
  }
  ~OnLoop() { turn_end_->on = nullptr; }

  Link& reads() { return *reads_; }
  /// The same for all commits and touches of a session, so that they stay in order.
  Link& commits(std::string_view key) {
    return *commits_[std::hash<std::string_view>()(tag_of(key)) % commits_.size()];
  }
  void touch(std::string key, WallMillis expires_at) {
    WallMillis& latest = touches_[std::move(key)];
    latest = std::max(latest, expires_at);
    loop_.at_turn_end(turn_end_);
  }
  /// What was touched goes before what is committed from now on.
  void send_touches();

 private:
  struct TurnEnd final : io::TurnEnd {
    explicit TurnEnd(OnLoop& o) : on(&o) {}
    void on_turn_end() override {
      if (on != nullptr) on->send_touches();
    }
    OnLoop* on;
  };

  PostgresStore& store_;
  io::Loop& loop_;
  std::map<std::string, WallMillis> touches_;
  std::shared_ptr<TurnEnd> turn_end_;
  std::vector<std::unique_ptr<Link>> commits_;
  std::unique_ptr<Link> reads_;
};

void PostgresStore::OnLoop::send_touches() {
  std::map<Link*, std::pair<std::vector<std::string_view>, std::vector<std::int64_t>>> by_link;
  for (const auto& [key, expires_at] : touches_) {
    auto& [keys, expiries] = by_link[&commits(key)];
    keys.push_back(key);
    expiries.push_back(expires_at);
  }
  for (const auto& [link, touched] : by_link) {
    Values values;
    values.number(store_.clock_.now()).octets(touched.first).numbers(touched.second);
    auto call = std::make_shared<Call>(kTouch, std::move(values), store_.deadline(loop_));
    call->alone = true;  // not durable, and skips what it would have to wait for
    link->submit(std::move(call));
  }
  touches_.clear();
}

Result<std::unique_ptr<PostgresStore>> PostgresStore::make(const StoreOptions& options,
                                                           const WallClock& clock) {
  auto target = parse_target(options);
  if (!target) return pass_on(std::move(target));
  return std::unique_ptr<PostgresStore>(new PostgresStore(options, std::move(*target), clock));
}

PostgresStore::PostgresStore(const StoreOptions& options, Target target, const WallClock& clock)
    : options_(options),
      target_(std::move(target)),
      clock_(clock),
      sessions_max_(options.sessions_max),
      durability_(options.durability) {}

PostgresStore::~PostgresStore() = default;

Result<void> PostgresStore::check() {
  const auto facts = look_once(target_, options_);
  if (!facts) return std::unexpected(facts.error());
  connected({}, *facts);
  if (facts->durability != options_.durability)
    log::warn("PostgreSQL keeps commits less well than configured: its fsync or synchronous_commit is off",
              {{"durability", name_of(facts->durability)}});
  return {};
}

void PostgresStore::attach(io::Loop& loop, io::Network& network) {
  on_loops_.add(loop, std::make_unique<OnLoop>(*this, loop, network));
}

void PostgresStore::detach(io::Loop& loop) { on_loops_.remove(loop); }

void PostgresStore::connected(const std::string& server, const Facts& facts) {
  epoch_ = facts.epoch;
  durability_ = facts.durability;
  if (!counted_.exchange(true)) {
    records_ = facts.records;
    ended_ = facts.ended;
  }
  if (away_.exchange(false)) log::info("PostgreSQL is back", {{"server", server}});
}

void PostgresStore::disconnected(const Error& why) {
  if (!away_.exchange(true)) log::warn("PostgreSQL is away", {{"reason", why.context}});
}

void PostgresStore::settled(const Transaction& transaction) {
  groups_ += std::ranges::any_of(transaction.executions, has_applied_commit) ? 1 : 0;
}

io::Task<Result<std::optional<Record>>> PostgresStore::load(io::Loop& loop, std::string key) {
  Values values;
  values.octets(std::move(key)).number(clock_.now());
  auto call = std::make_shared<Call>(kLoad, std::move(values), deadline(loop));
  Answer answer = co_await on_loops_.on(loop).reads().ask(std::move(call));
  if (!answer) co_return unavailable(answer.error());
  if (answer->count() == 0) co_return std::optional<Record>();
  co_return std::optional<Record>(record_of(*answer, 0));
}

std::int64_t PostgresStore::room() const {
  const auto most = static_cast<std::int64_t>(sessions_max_.load());
  return std::max<std::int64_t>(0, most - (records_ - ended_));
}

io::Task<Result<Committed>> PostgresStore::commit(io::Loop& loop, Batch batch) {
  if (auto checked = check_batch(batch); !checked) co_return pass_on(std::move(checked));
  OnLoop& here = on_loops_.on(loop);
  here.send_touches();
  auto call = commit_call(batch, clock_.now(), room(), deadline(loop));
  Answer answer = co_await here.commits(batch.writes.front().key).ask(std::move(call));
  if (!answer && answer.error().state == "SW001") {  // alone, and all the same somebody was faster
    ++conflicts_;
    co_return fail(Code::conflict, Side::store, {}, Retry::always);
  }
  if (!answer) co_return unavailable(answer.error());
  co_return committed(batch, *answer);
}

Result<Committed> PostgresStore::committed(const Batch& batch, const Rows& rows) {
  CHECK(rows.count() == 1);
  switch (static_cast<Outcome>(rows.number(0, 0))) {
    case Outcome::applied:
      ++commits_;
      records_ += rows.number(0, 1);
      ended_ += rows.number(0, 2);
      break;
    case Outcome::repeated:
      break;
    case Outcome::lease_lost:
      return fail(Code::lease_lost, Side::store);
    case Outcome::conflict:
      ++conflicts_;
      return fail(Code::conflict, Side::store, {}, Retry::always);
    case Outcome::full:
      return fail(Code::sessions_full, Side::store);
  }
  const auto& record = batch.writes.front().record;
  return Committed{.revision = record ? record->revision : 0};
}

void PostgresStore::touch(io::Loop& loop, std::string_view key, WallMillis expires_at) {
  on_loops_.on(loop).touch(std::string(key), expires_at);
}

io::Task<Result<std::vector<Entry>>> PostgresStore::list(io::Loop& loop, Query query) {
  std::vector<Entry> entries;
  if (query.limit == 0) co_return entries;
  const bool of_one = !query.principal.empty();
  Values values;
  values.octets(std::move(query.after))
      .octets(query.prefix)
      .octets(end_of(query.prefix))
      .number(clock_.now())
      .number(static_cast<std::int64_t>(query.limit));
  if (of_one) values.octets(std::move(query.principal));
  auto call = std::make_shared<Call>(of_one ? kListOfPrincipal : kList, std::move(values), deadline(loop));
  Answer answer = co_await on_loops_.on(loop).reads().ask(std::move(call));
  if (!answer) co_return unavailable(answer.error());
  for (int row = 0; row < answer->count(); ++row)
    entries.push_back({.key = std::string(answer->octets(row, 7)), .record = record_of(*answer, row)});
  co_return entries;
}

io::Task<Result<std::size_t>> PostgresStore::sweep(io::Loop& loop, std::size_t most) {
  std::size_t swept = 0;
  for (;;) {
    const std::size_t chunk = std::min(most - swept, kSweepAtOnce);
    Values values;
    values.number(clock_.now()).small(static_cast<std::int32_t>(chunk));
    auto call = std::make_shared<Call>(kSweep, std::move(values), deadline(loop));
    Answer answer = co_await on_loops_.on(loop).reads().ask(std::move(call));
    if (!answer) co_return unavailable(answer.error());
    const auto removed = static_cast<std::size_t>(answer->number(0, 0));
    records_ = answer->number(0, 1);
    ended_ = answer->number(0, 2);
    swept += removed;
    swept_ += removed;
    if (swept >= most || removed < chunk) co_return swept;
  }
}

Stats PostgresStore::stats() const {
  const auto count = [](std::int64_t n) { return static_cast<std::uint64_t>(std::max<std::int64_t>(0, n)); };
  return {.kind = "postgres",
          .records = count(records_),
          .ended = count(ended_),
          .commits = commits_,
          .conflicts = conflicts_,
          .groups = groups_,
          .swept = swept_,
          .durability = name_of(durability_)};
}

void PostgresStore::set_sessions_max(std::uint64_t most) { sessions_max_ = most; }

std::uint64_t PostgresStore::epoch() const { return epoch_; }

io::Task<Result<std::uint64_t>> PostgresStore::take(io::Loop& loop, std::string key, Duration ttl) {
  Values values;
  values.octets(std::move(key)).number(to_ms(ttl));
  auto call = std::make_shared<Call>(kTakeLease, std::move(values), deadline(loop));
  Answer answer = co_await on_loops_.on(loop).reads().ask(std::move(call));
  if (!answer) co_return unavailable(answer.error());
  co_return static_cast<std::uint64_t>(answer->number(0, 0));
}

void PostgresStore::extend(io::Loop& loop, std::string_view key, std::uint64_t token, Duration ttl) {
  Values values;
  values.octets(std::string(key)).number(static_cast<std::int64_t>(token)).number(to_ms(ttl));
  on_loops_.on(loop).reads().submit(std::make_shared<Call>(kExtendLease, std::move(values), deadline(loop)));
}

void PostgresStore::give_back(io::Loop& loop, std::string_view key, std::uint64_t token) {
  Values values;
  values.octets(std::string(key)).number(static_cast<std::int64_t>(token));
  on_loops_.on(loop).reads().submit(
      std::make_shared<Call>(kGiveBackLease, std::move(values), deadline(loop)));
}

}  // namespace stateway::store::postgres
