// A backup: one file with what an embedded store held at one moment. docs/formats/backup.md has the bytes.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/options.h"
#include "store/store.h"

namespace stateway::store {

/// Makes the pieces of a backup, in this order: one `begin`, `records` for each page, one `end`.
class BackupWriter {
 public:
  std::string begin(WallMillis taken_at);
  std::string records(const std::vector<Entry>& entries);
  std::string end();

 private:
  std::string block(char type, std::string_view payload);
  std::string digest_;
  std::uint64_t count_ = 0;
};

/// Reads one and checks every octet of it.
class BackupReader {
 public:
  /// Errors: io with a sentence for the operator: cannot be read, is no backup, of a newer version.
  static Result<BackupReader> open(const std::string& path);

  WallMillis taken_at() const { return taken_at_; }
  /// The next page of records; empty: that was all of it, and it is whole. Errors: io, when it is damaged or
  /// ends early.
  Result<std::vector<Entry>> next();
  std::uint64_t count() const { return count_; }  // of records so far

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  struct Block {
    char type = 0;
    std::string payload;
  };
  explicit BackupReader(std::string path) : path_(std::move(path)) {}
  Result<Block> read_block();
  std::unexpected<Error> damaged() const;

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::string digest_;
  WallMillis taken_at_ = 0;
  std::uint64_t count_ = 0;
};

struct BackupSummary {
  WallMillis taken_at = 0;
  std::uint64_t records = 0;
};

/// Reads all of the file. Blocks. Errors: BackupReader's.
Result<BackupSummary> verify_backup(const std::string& path);

/// Makes `options.path` an embedded store with exactly the records of the backup. It must be an empty
/// directory or not be there. The file is read whole before anything is made, and the store appears under its
/// name only when it is complete and on the disk. Blocks. Errors: io with a sentence for the operator.
Result<BackupSummary> restore_backup(const std::string& path, const StoreOptions& options);

}  // namespace stateway::store
