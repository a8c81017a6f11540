#include "store/embedded.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "store/batch.h"
#include "store/database.h"
#include "store/hot_table.h"
#include "store/writer.h"

namespace stateway::store {
namespace {

constexpr std::size_t kMomentBytes = 256u << 10;
constexpr std::size_t kSweepChunk = 64;  // commits wait behind one chunk: about 0.2 ms

}  // namespace

Result<std::unique_ptr<EmbeddedStore>> EmbeddedStore::open(const StoreOptions& options,
                                                           const WallClock& clock, rocksdb::Env* env) {
  auto database = Database::open(options.path, options.durability, env);
  if (!database) return pass_on(std::move(database));
  const auto count = (*database)->count();
  if (!count) return fail(Code::io, Side::self, options.path + ": " + count.error().context);
  return std::unique_ptr<EmbeddedStore>(new EmbeddedStore(std::move(*database), options, clock, *count));
}

EmbeddedStore::EmbeddedStore(std::unique_ptr<Database> database, const StoreOptions& options,
                             const WallClock& clock, RecordCount count)
    : clock_(clock),
      database_(std::move(database)),
      hot_(std::make_unique<HotTable>(options.memory_bytes_max)),
      writer_(std::make_unique<Writer>(*database_, *hot_, clock, count, options.sessions_max)) {}

EmbeddedStore::~EmbeddedStore() {
  writer_->finish();
  if (writer_->poisoned()) return;  // what is on disk stays as the failure left it
  if (const auto flushed = database_->flush(); !flushed)
    log::error("the store could not write its memory out", {{"error", flushed.error().context}});
}

io::Task<Result<std::optional<Record>>> EmbeddedStore::load(io::Loop& loop, std::string key) {
  HotTable::Found found = hot_->find(key);
  if (found.absent) co_return std::optional<Record>();
  if (!found.stored) {
    auto read = [this, key, sequence = found.sequence]() -> Result<StoredPtr> {
      auto stored = database_->get(key, Part::whole);
      if (stored) hot_->offer(key, *stored, sequence);
      return stored;
    };
    auto reading = loads_.run(loop, std::move(read));
    Result<StoredPtr> stored = co_await reading;
    if (!stored) co_return pass_on(std::move(stored));
    if (!*stored) co_return std::optional<Record>();
    found.expires_at = (*stored)->record.expires_at;
    found.stored = std::move(*stored);
  }
  if (found.expires_at <= clock_.now()) co_return std::optional<Record>();
  std::optional<Record> record(found.stored->record);
  record->expires_at = found.expires_at;
  co_return record;
}

io::Task<Result<Committed>> EmbeddedStore::commit(io::Loop& loop, Batch batch) {
  if (auto checked = check_batch(batch); !checked) co_return pass_on(std::move(checked));
  CHECK(batch.lease == 0);  // it gives none
  auto submission = writer_->commit(loop, std::move(batch));
  const Result<std::uint64_t> revision = co_await submission;
  if (!revision) co_return std::unexpected(revision.error());
  co_return Committed{*revision};
}

void EmbeddedStore::touch(io::Loop&, std::string_view key, WallMillis expires_at) {
  if (hot_->touch(key, expires_at, clock_.now()) != HotTable::Touch::refused) writer_->touch(key, expires_at);
}

io::Task<Result<std::vector<Entry>>> EmbeddedStore::list(io::Loop& loop, Query query) {
  auto walk = [this, query = std::move(query)] { return collect(query); };
  auto walking = scans_.run(loop, std::move(walk));
  co_return co_await walking;
}

Result<std::vector<Entry>> EmbeddedStore::collect(const Query& query) {
  std::vector<Entry> entries;
  if (query.limit == 0) return entries;
  const WallMillis now = clock_.now();
  auto scanned = database_->scan(query, [&](Entry entry) {
    const HotTable::Found hot = hot_->peek(entry.key);
    if (hot.stored && hot.stored->record.revision == entry.record.revision)
      entry.record.expires_at = hot.expires_at;
    if (entry.record.expires_at > now) entries.push_back(std::move(entry));
    return entries.size() < query.limit;
  });
  if (!scanned) return pass_on(std::move(scanned));
  return entries;
}

io::Task<Result<std::size_t>> EmbeddedStore::sweep(io::Loop& loop, std::size_t most) {
  std::size_t removed = 0;
  std::string after;
  while (removed < most) {
    const std::size_t chunk = std::min(most - removed, kSweepChunk);
    auto walk = [this, after, chunk] { return database_->due(clock_.now(), after, chunk); };
    auto walking = scans_.run(loop, std::move(walk));
    Result<std::vector<Due>> due = co_await walking;
    if (!due) co_return pass_on(std::move(due));
    if (due->empty()) break;
    after = encode_due(due->back().at, due->back().key);
    auto submission = writer_->expire(loop, std::move(*due));
    const Result<std::uint64_t> expired = co_await submission;
    if (!expired) co_return std::unexpected(expired.error());
    removed += *expired;
  }
  co_return removed;
}

Stats EmbeddedStore::stats() const { return writer_->stats(); }

namespace {

class EmbeddedMoment final : public Moment {
 public:
  EmbeddedMoment(std::shared_ptr<Database> database, WallMillis now)
      : database_(std::move(database)), taken_at_(now), cursor_(database_->cursor()) {}

  WallMillis taken_at() const override { return taken_at_; }
  Result<std::vector<Entry>> next() override {
    std::vector<Entry> out;
    for (std::size_t bytes = 0; bytes < kMomentBytes;) {
      auto entry = cursor_->next();
      if (!entry) return pass_on(std::move(entry));
      if (!*entry) break;
      if ((*entry)->record.expires_at <= taken_at_) continue;
      bytes += (*entry)->key.size() + (*entry)->record.value.size();
      out.push_back(std::move(**entry));
    }
    return out;
  }

 private:
  const std::shared_ptr<Database> database_;
  const WallMillis taken_at_;
  const std::unique_ptr<Database::Cursor> cursor_;  // before its database
};

}  // namespace

// A group is in the memtable, and so in a moment, only when it is as durable as it will be.
std::unique_ptr<Moment> EmbeddedStore::moment() {
  return std::make_unique<EmbeddedMoment>(database_, clock_.now());
}

void EmbeddedStore::set_sessions_max(std::uint64_t most) { writer_->set_records_max(most); }

}  // namespace stateway::store
