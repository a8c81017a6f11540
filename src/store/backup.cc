#include "store/backup.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/big_endian.h"
#include "base/bytes.h"
#include "store/batch.h"
#include "store/database.h"
#include "store/record_codec.h"

namespace stateway::store {
namespace {

constexpr std::string_view kMagic = "stateway-backup 1\n";
constexpr std::string_view kMagicOfAny = "stateway-backup ";
constexpr char kBegin = 'b';
constexpr char kRecords = 'r';
constexpr char kEnd = 'e';
constexpr std::size_t kDigestBytes = 32;
// A page of records is some 256 KiB, but for one with the longest document there can be.
constexpr std::uint32_t kBlockBytesMax = 128u << 20;

// Chained: a block that is missing, or in another's place, shows as well.
std::string digest_of(std::string_view before, char type, std::string_view payload) {
  std::string octets(before);
  octets.push_back(type);
  append_big_endian(octets, static_cast<std::uint32_t>(payload.size()));
  octets += payload;
  return sha256(octets);
}

std::unexpected<Error> failed(std::string sentence) {
  return fail(Code::io, Side::self, std::move(sentence));
}

bool take(std::string_view& in, std::size_t size, std::string_view& out) {
  if (in.size() < size) return false;
  out = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

std::optional<Entry> take_entry(std::string_view& in) {
  std::uint16_t key_bytes = 0;
  std::uint32_t record_bytes = 0;
  std::string_view key, encoded;
  if (!take_big_endian(in, key_bytes) || key_bytes == 0 || key_bytes > kKeyBytesMax ||
      !take_big_endian(in, record_bytes) || !take(in, key_bytes, key) || !take(in, record_bytes, encoded))
    return std::nullopt;
  auto stored = decode_record(encoded, Part::whole);
  if (!stored) return std::nullopt;
  return Entry{std::string(key), std::move(stored->record)};
}

}  // namespace

std::string BackupWriter::block(char type, std::string_view payload) {
  digest_ = digest_of(digest_, type, payload);
  std::string out(1, type);
  append_big_endian(out, static_cast<std::uint32_t>(payload.size()));
  out += payload;
  return out + digest_;
}

std::string BackupWriter::begin(WallMillis taken_at) {
  std::string payload;
  append_big_endian(payload, static_cast<std::uint64_t>(taken_at));
  return std::string(kMagic) + block(kBegin, payload);
}

std::string BackupWriter::records(const std::vector<Entry>& entries) {
  std::string payload;
  for (const Entry& entry : entries) {
    Stored stored;
    stored.record = entry.record;
    stored.indexed_at = entry.record.expires_at;
    const std::string head = encode_head(stored);
    append_big_endian(payload, static_cast<std::uint16_t>(entry.key.size()));
    append_big_endian(payload, static_cast<std::uint32_t>(head.size() + entry.record.value.size()));
    payload += entry.key;
    payload += head;
    payload += entry.record.value;
  }
  count_ += entries.size();
  return block(kRecords, payload);
}

std::string BackupWriter::end() {
  std::string payload;
  append_big_endian(payload, count_);
  return block(kEnd, payload);
}

std::unexpected<Error> BackupReader::damaged() const {
  return failed(path_ + " is damaged or was not written to its end: take another backup");
}

Result<BackupReader::Block> BackupReader::read_block() {
  const auto read = [this](std::string& into, std::size_t size) {
    into.resize(size);
    return std::fread(into.data(), 1, size, file_.get()) == size;
  };
  std::string head, digest;
  if (!read(head, 5)) return damaged();
  Block out{.type = head.front(), .payload = {}};
  std::string_view rest = std::string_view(head).substr(1);
  std::uint32_t size = 0;
  if (!take_big_endian(rest, size) || size > kBlockBytesMax) return damaged();
  if (!read(out.payload, size) || !read(digest, kDigestBytes)) return damaged();
  digest_ = digest_of(digest_, out.type, out.payload);
  if (digest != digest_) return damaged();
  return out;
}

Result<BackupReader> BackupReader::open(const std::string& path) {
  BackupReader reader(path);
  reader.file_.reset(std::fopen(path.c_str(), "rb"));
  if (!reader.file_) return failed("cannot read " + path + ": " + std::strerror(errno));
  std::string magic(kMagic.size(), '\0');
  const std::size_t got = std::fread(magic.data(), 1, magic.size(), reader.file_.get());
  magic.resize(got);
  if (magic != kMagic)
    return failed(magic.starts_with(kMagicOfAny) ? path + " was written by a newer version of Stateway"
                                                 : path + " is no backup: stateway store backup makes one");
  auto begin = reader.read_block();
  if (!begin) return pass_on(std::move(begin));
  std::string_view payload = begin->payload;
  std::uint64_t taken_at = 0;
  if (begin->type != kBegin || !take_big_endian(payload, taken_at) || !payload.empty())
    return reader.damaged();
  reader.taken_at_ = static_cast<WallMillis>(taken_at);
  return reader;
}

Result<std::vector<Entry>> BackupReader::next() {
  auto block = read_block();
  if (!block) return pass_on(std::move(block));
  std::string_view payload = block->payload;
  std::vector<Entry> out;
  if (block->type == kEnd) {
    std::uint64_t count = 0;
    const bool whole = take_big_endian(payload, count) && payload.empty() && count == count_ &&
                       std::fgetc(file_.get()) == EOF;
    if (!whole) return damaged();
    return out;
  }
  if (block->type != kRecords || payload.empty()) return damaged();
  while (!payload.empty()) {
    auto entry = take_entry(payload);
    if (!entry) return damaged();
    out.push_back(std::move(*entry));
  }
  count_ += out.size();
  return out;
}

Result<BackupSummary> verify_backup(const std::string& path) {
  auto reader = BackupReader::open(path);
  if (!reader) return pass_on(std::move(reader));
  for (;;) {
    const auto page = reader->next();
    if (!page) return std::unexpected(page.error());
    if (page->empty()) return BackupSummary{reader->taken_at(), reader->count()};
  }
}

namespace {

namespace fs = std::filesystem;

Result<void> check_target(const std::string& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) return {};
  if (error) return failed("cannot look at " + path + ": " + error.message());
  if (!fs::is_directory(status)) return failed(path + " is no directory");
  const bool empty = fs::is_empty(path, error);
  if (error) return failed("cannot look into " + path + ": " + error.message());
  if (!empty) return failed(path + " is not empty: move what is there away first, or set another store.path");
  return {};
}

Result<void> fill(Database& database, const std::string& path) {
  auto reader = BackupReader::open(path);
  if (!reader) return pass_on(std::move(reader));
  Database::Changes changes;
  for (;;) {
    const auto page = reader->next();
    if (!page) return std::unexpected(page.error());
    for (const Entry& entry : *page) {
      const Stored stored{.record = entry.record, .indexed_at = entry.record.expires_at};
      database.put(changes, entry.key, nullptr, stored);
    }
    if (page->empty()) return database.flush();
    if (auto written = database.write(changes, false); !written) return written;
    changes.clear();
  }
}

}  // namespace

Result<BackupSummary> restore_backup(const std::string& path, const StoreOptions& options) {
  if (auto free = check_target(options.path); !free) return pass_on(std::move(free));
  auto verified = verify_backup(path);
  if (!verified) return verified;
  fs::path target(options.path);
  if (!target.has_filename()) target = target.parent_path();
  const std::string making = target.string() + ".restoring";
  std::error_code error;
  fs::remove_all(making, error);  // of one that was killed
  {
    auto database = Database::open(making, Durability::sync, nullptr);
    if (!database) return pass_on(std::move(database));
    if (auto filled = fill(**database, path); !filled) {
      database->reset();
      fs::remove_all(making, error);
      return failed("cannot write " + making + ": " + filled.error().context);
    }
  }
  fs::rename(making, target, error);
  if (error) return failed("cannot rename " + making + " to " + target.string() + ": " + error.message());
  return verified;
}

}  // namespace stateway::store
