#include "store/database.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/check.h"
#include "store/database_options.h"

#if __has_feature(thread_sanitizer)
// The packaged RocksDB is not instrumented: TSan sees its memory but not the atomics that order access to it.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() { return "race:librocksdb.so\n"; }
#endif

namespace stateway::store {
namespace {

constexpr std::string_view kFormatKey = "format";
constexpr std::string_view kFormat = "1";

rocksdb::Slice slice(std::string_view s) { return {s.data(), s.size()}; }
std::string_view view(const rocksdb::Slice& s) { return {s.data(), s.size()}; }

std::unexpected<Error> unavailable(const rocksdb::Status& status) {
  return fail(Code::store_unavailable, Side::store, status.ToString(), Retry::always);
}
std::unexpected<Error> unreadable_record() {
  return fail(Code::store_unavailable, Side::store, "a record is damaged or was written by a newer version");
}

/// Sessions are nobody's business but ours: a directory we make is ours alone.
Result<void> make_directory(const std::string& path) {
  const std::filesystem::path directory(path);
  std::error_code error;
  if (directory.has_parent_path()) std::filesystem::create_directories(directory.parent_path(), error);
  if (!error && mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    error.assign(errno, std::system_category());
  if (!error && !std::filesystem::is_directory(directory, error) && !error)
    error = std::make_error_code(std::errc::not_a_directory);
  if (error)
    return fail(Code::io, Side::self, "cannot create the store's directory " + path + ": " + error.message());
  return {};
}

std::unexpected<Error> cannot_open(const std::string& path, const rocksdb::Status& status) {
  const std::string text = status.ToString();
  const auto says = [&](std::string_view part) { return text.find(part) != std::string::npos; };
  if (status.IsIOError() && (says("While lock file") || says("lock hold by current process")))
    return fail(Code::io, Side::self,
                "another gateway uses " + path + ": stop it, or give this one its own store.path");
  if (status.IsInvalidArgument() && says("Column families not opened"))
    return fail(Code::io, Side::self, path + " was written by a newer version of Stateway");
  if (status.IsCorruption() || status.IsInvalidArgument())
    return fail(Code::io, Side::self,
                "the store in " + path + " is damaged, restore a backup (" + text + ")");
  return fail(Code::io, Side::self, "cannot open the store in " + path + ": " + text);
}

}  // namespace

struct Database::Handles {
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  Durability durability = Durability::sync;

  rocksdb::ColumnFamilyHandle* meta() const { return families[0]; }
  rocksdb::ColumnFamilyHandle* records() const { return families[1]; }
  rocksdb::ColumnFamilyHandle* expiry() const { return families[2]; }
  rocksdb::ColumnFamilyHandle* principals() const { return families[3]; }

  std::unique_ptr<rocksdb::Iterator> iterate(rocksdb::ColumnFamilyHandle* in) const {
    rocksdb::ReadOptions options;
    options.fill_cache = false;  // walks must not push out what single reads need
    return std::unique_ptr<rocksdb::Iterator>(db->NewIterator(options, in));
  }
  ~Handles() {
    for (auto* family : families) db->DestroyColumnFamilyHandle(family);
  }
};

struct Database::Changes::Rows {
  rocksdb::WriteBatch batch;
};

Database::Changes::Changes() : rows_(std::make_unique<Rows>()) {}
Database::Changes::~Changes() = default;
bool Database::Changes::empty() const { return rows_->batch.Count() == 0; }
void Database::Changes::clear() { rows_->batch.Clear(); }

Database::Database(std::unique_ptr<Handles> handles) : handles_(std::move(handles)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const std::string& path, Durability durability,
                                                 rocksdb::Env* env) {
  if (auto made = make_directory(path); !made) return pass_on(std::move(made));
  auto handles = std::make_unique<Handles>();
  handles->durability = durability;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::Open(database_options(durability, env), path, column_families(), &handles->families, &db);
  handles->db.reset(db);
  if (!status.ok()) return cannot_open(path, status);
  std::unique_ptr<Database> database(new Database(std::move(handles)));
  if (auto known = database->check_format(); !known) {
    known.error().context = path + ": " + known.error().context;
    return pass_on(std::move(known));
  }
  return database;
}

Result<void> Database::check_format() {
  std::string format;
  rocksdb::Status status =
      handles_->db->Get(rocksdb::ReadOptions(), handles_->meta(), slice(kFormatKey), &format);
  if (status.IsNotFound()) {
    rocksdb::WriteOptions durable;
    durable.sync = true;
    format = kFormat;
    status = handles_->db->Put(durable, handles_->meta(), slice(kFormatKey), slice(kFormat));
  }
  if (!status.ok()) return fail(Code::io, Side::self, status.ToString());
  if (format != kFormat)
    return fail(Code::io, Side::self,
                "the store was written by a newer version of Stateway (format " + format + ")");
  return {};
}

Result<StoredPtr> Database::get(std::string_view key, Part part) const {
  rocksdb::PinnableSlice value;
  const rocksdb::Status status =
      handles_->db->Get(rocksdb::ReadOptions(), handles_->records(), slice(key), &value);
  if (status.IsNotFound()) return StoredPtr();
  if (!status.ok()) return unavailable(status);
  auto stored = decode_record(view(value), part);
  if (!stored) return unreadable_record();
  return std::make_shared<const Stored>(std::move(*stored));
}

Result<std::vector<Due>> Database::due(WallMillis until, std::string_view after, std::size_t most) const {
  std::vector<Due> found;
  const auto at = handles_->iterate(handles_->expiry());
  for (at->Seek(slice(after)); at->Valid() && found.size() < most; at->Next()) {
    if (view(at->key()) == after) continue;
    auto due = decode_due(view(at->key()));
    if (!due) return unreadable_record();
    if (due->at > until) break;
    found.push_back(std::move(*due));
  }
  if (!at->status().ok()) return unavailable(at->status());
  return found;
}

Result<void> Database::scan(const Query& query, const std::function<bool(Entry)>& visit) const {
  if (!query.principal.empty()) return scan_principal(query, visit);
  const auto at = handles_->iterate(handles_->records());
  for (at->Seek(slice(std::max(query.prefix, query.after))); at->Valid(); at->Next()) {
    const std::string_view key = view(at->key());
    if (!key.starts_with(query.prefix)) break;
    if (key == query.after) continue;
    auto stored = decode_record(view(at->value()), Part::whole);
    if (!stored) return unreadable_record();
    if (!visit({std::string(key), std::move(stored->record)})) break;
  }
  if (!at->status().ok()) return unavailable(at->status());
  return {};
}

Result<void> Database::scan_principal(const Query& query, const std::function<bool(Entry)>& visit) const {
  const std::string front = encode_principal(query.principal);
  const auto at = handles_->iterate(handles_->principals());
  for (at->Seek(front + std::max(query.prefix, query.after)); at->Valid(); at->Next()) {
    std::string_view key = view(at->key());
    if (!key.starts_with(front)) break;
    key.remove_prefix(front.size());
    if (!key.starts_with(query.prefix)) break;
    if (key == query.after) continue;
    auto found = get(key, Part::whole);
    if (!found) return pass_on(std::move(found));
    // The index is walked as of its start, the record read as of now: it may be gone or another's meanwhile.
    if (!*found || (*found)->record.principal != query.principal) continue;
    if (!visit({std::string(key), (*found)->record})) break;
  }
  if (!at->status().ok()) return unavailable(at->status());
  return {};
}

struct Database::Cursor::Walk {
  std::unique_ptr<rocksdb::Iterator> at;
};

Database::Cursor::Cursor(std::unique_ptr<Walk> walk) : walk_(std::move(walk)) {}
Database::Cursor::~Cursor() = default;

// An iterator sees what there was when it was made.
std::unique_ptr<Database::Cursor> Database::cursor() const {
  auto walk = std::make_unique<Cursor::Walk>();
  walk->at = handles_->iterate(handles_->records());
  walk->at->SeekToFirst();
  return std::unique_ptr<Cursor>(new Cursor(std::move(walk)));
}

Result<std::optional<Entry>> Database::Cursor::next() {
  rocksdb::Iterator& at = *walk_->at;
  if (!at.Valid()) {
    if (!at.status().ok()) return unavailable(at.status());
    return std::optional<Entry>();
  }
  auto stored = decode_record(view(at.value()), Part::whole);
  if (!stored) return unreadable_record();
  std::optional<Entry> out(Entry{std::string(view(at.key())), std::move(stored->record)});
  at.Next();
  return out;
}

Result<RecordCount> Database::count() const {
  RecordCount count;
  const auto at = handles_->iterate(handles_->expiry());
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    ++count.records;
    auto ended = says_ended(view(at->value()));
    if (!ended) {  // written before entries said it
      const auto due = decode_due(view(at->key()));
      if (!due) return unreadable_record();
      const auto found = get(due->key, Part::head);
      if (!found) return std::unexpected(found.error());
      ended = *found && (*found)->record.state == State::ended;
    }
    if (*ended) ++count.ended;
  }
  if (!at->status().ok()) return unavailable(at->status());
  return count;
}

void Database::put(Changes& changes, std::string_view key, const Stored* before, const Stored& after) const {
  rocksdb::WriteBatch& batch = changes.rows_->batch;
  const std::string head = encode_head(after);
  const std::array<rocksdb::Slice, 1> key_part{slice(key)};
  const std::array<rocksdb::Slice, 2> value_parts{slice(head), slice(after.record.value)};
  rocksdb::Status status = batch.Put(handles_->records(), rocksdb::SliceParts(key_part.data(), 1),
                                     rocksdb::SliceParts(value_parts.data(), 2));
  const bool reindexed = before == nullptr || before->indexed_at != after.indexed_at;
  const bool ended = after.record.state == State::ended;
  const bool turned = before != nullptr && ended != (before->record.state == State::ended);
  if (status.ok() && before != nullptr && reindexed)
    status = batch.Delete(handles_->expiry(), encode_due(before->indexed_at, key));
  if (status.ok() && (reindexed || turned))
    status = batch.Put(handles_->expiry(), encode_due(after.indexed_at, key), slice(encode_ended(ended)));

  const std::string_view had =
      before != nullptr ? std::string_view(before->record.principal) : std::string_view();
  const std::string& has = after.record.principal;
  if (status.ok() && !had.empty() && had != has)
    status = batch.Delete(handles_->principals(), encode_principal(had).append(key));
  if (status.ok() && !has.empty() && had != has)
    status = batch.Put(handles_->principals(), encode_principal(has).append(key), rocksdb::Slice());
  CHECK(status.ok());  // building a batch in memory cannot fail below its size limit of 4 GiB
}

void Database::erase(Changes& changes, std::string_view key, const Stored& before) const {
  rocksdb::WriteBatch& batch = changes.rows_->batch;
  rocksdb::Status status = batch.Delete(handles_->records(), slice(key));
  if (status.ok()) status = batch.Delete(handles_->expiry(), encode_due(before.indexed_at, key));
  if (status.ok() && !before.record.principal.empty())
    status = batch.Delete(handles_->principals(), encode_principal(before.record.principal).append(key));
  CHECK(status.ok());
}

Result<void> Database::write(Changes& changes, bool sync) {
  rocksdb::WriteOptions options;
  options.sync = sync && handles_->durability == Durability::sync;
  options.disableWAL = handles_->durability == Durability::memory;
  const rocksdb::Status status = handles_->db->Write(options, &changes.rows_->batch);
  if (!status.ok()) return fail(Code::store_unavailable, Side::store, status.ToString(), Retry::never);
  return {};
}

Result<void> Database::flush() {
  const rocksdb::Status status = handles_->db->Flush(rocksdb::FlushOptions(), handles_->families);
  if (!status.ok()) return unavailable(status);
  return {};
}

}  // namespace stateway::store
