#include "store/database_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <memory>

namespace stateway::store {
namespace {

constexpr std::size_t kBlockCacheBytes = 32u << 20;    // of all families, with their filters and indexes
constexpr std::size_t kRecordBufferBytes = 16u << 20;  // times kRecordBuffers
constexpr int kRecordBuffers = 3;                      // one filling, one being flushed, one to spare
constexpr std::size_t kIndexBufferBytes = 4u << 20;    // index rows are a tenth of a record
constexpr std::uint64_t kLogBytesMax = 128u << 20;     // of the log: bounds its replay after a crash
constexpr std::size_t kInfoLogBytesMax = 1u << 20;
constexpr int kOpenFilesMax = 256;

rocksdb::CompressionType compression() {
  const auto supported = rocksdb::GetSupportedCompressions();
  const auto has = [&](rocksdb::CompressionType type) {
    return std::find(supported.begin(), supported.end(), type) != supported.end();
  };
  for (const auto type : {rocksdb::kLZ4Compression, rocksdb::kSnappyCompression})
    if (has(type)) return type;
  return rocksdb::kNoCompression;
}

rocksdb::ColumnFamilyOptions family(const std::shared_ptr<rocksdb::Cache>& cache, std::size_t buffer_bytes,
                                    int buffers) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));

  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = buffer_bytes;
  options.max_write_buffer_number = buffers;
  options.compression = compression();
  options.level_compaction_dynamic_level_bytes = true;
  options.memtable_prefix_bloom_size_ratio = 0.02;
  options.memtable_whole_key_filtering = true;  // most new sessions' keys are in no table at all
  return options;
}

}  // namespace

rocksdb::DBOptions database_options(Durability durability, rocksdb::Env* env) {
  rocksdb::DBOptions options;
  if (env != nullptr) options.env = env;
  options.create_if_missing = true;
  options.create_missing_column_families = true;

  // A failed write stays failed until a person has looked. And what failed must not be readable: in this
  // write path (neither pipelined nor unordered) a group enters the memtable only after its log append and
  // sync.
  options.max_bgerror_resume_count = 0;
  options.paranoid_checks = true;
  options.enable_pipelined_write = false;
  options.unordered_write = false;
  options.manual_wal_flush = false;
  options.allow_concurrent_memtable_write = false;  // one writer thread

  // A crash may tear the last, never acknowledged append anywhere, its pages reach the disk in any order:
  // replay stops there instead of refusing to start. Everything acknowledged lies before it.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.max_total_wal_size = kLogBytesMax;
  // Without a log only flushes make data permanent: all families together, or a crash parts them.
  options.atomic_flush = durability == Durability::memory;
  options.avoid_flush_during_shutdown = true;  // Database's owner decides; never after a failure

  options.max_background_jobs = 2;
  options.max_open_files = kOpenFilesMax;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.max_log_file_size = kInfoLogBytesMax;
  options.keep_log_file_num = 3;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> column_families() {
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  return {
      {rocksdb::kDefaultColumnFamilyName, family(cache, 64u << 10, 2)},
      {"records", family(cache, kRecordBufferBytes, kRecordBuffers)},
      {"expiry", family(cache, kIndexBufferBytes, 2)},
      {"principals", family(cache, kIndexBufferBytes, 2)},
  };
}

}  // namespace stateway::store
