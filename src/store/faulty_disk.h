// For tests: the machine's files, whose write-ahead log can be made to fail or to wait at the moment of its
// append or sync. Includes RocksDB.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace stateway::store {

enum class DiskCall { append, sync };

/// Thread-safe.
class FaultyDisk {
 public:
  FaultyDisk() : env_(rocksdb::NewCompositeEnv(std::make_shared<Files>(*this))) {}
  rocksdb::Env* env() { return env_.get(); }

  /// From now on every such call on a write-ahead log fails, as with EIO.
  void fail(DiskCall call) {
    set([&] { (call == DiskCall::append ? fail_append_ : fail_sync_) = true; });
  }
  /// From now on appends to a log wait until `release`.
  void hold() {
    set([&] { held_ = true; });
  }
  void release() {
    set([&] { held_ = false; });
  }
  /// Waits until an append does.
  void wait_until_held() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }
  int syncs() const {
    const std::lock_guard lock(mutex_);
    return syncs_;
  }

 private:
  template <class F>
  void set(F f) {
    const std::lock_guard lock(mutex_);
    f();
    changed_.notify_all();
  }
  rocksdb::IOStatus pass(DiskCall call) {
    std::unique_lock lock(mutex_);
    if (call == DiskCall::sync) ++syncs_;
    if (call == DiskCall::append && held_) {
      ++waiting_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return !held_; });
      --waiting_;
    }
    if (call == DiskCall::append ? fail_append_ : fail_sync_)
      return rocksdb::IOStatus::IOError("the disk is on fire");
    return rocksdb::IOStatus::OK();
  }

  struct Log final : rocksdb::FSWritableFileOwnerWrapper {
    Log(std::unique_ptr<rocksdb::FSWritableFile> file, FaultyDisk& d)
        : FSWritableFileOwnerWrapper(std::move(file)), disk(d) {}
    using FSWritableFileOwnerWrapper::Append;
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override {
      auto passed = disk.pass(DiskCall::append);
      return passed.ok() ? FSWritableFileOwnerWrapper::Append(data, options, debug) : passed;
    }
    rocksdb::IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
      auto passed = disk.pass(DiskCall::sync);
      return passed.ok() ? FSWritableFileOwnerWrapper::Sync(options, debug) : passed;
    }
    rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
      auto passed = disk.pass(DiskCall::sync);
      return passed.ok() ? FSWritableFileOwnerWrapper::Fsync(options, debug) : passed;
    }
    FaultyDisk& disk;
  };
  struct Files final : rocksdb::FileSystemWrapper {
    explicit Files(FaultyDisk& d) : FileSystemWrapper(rocksdb::FileSystem::Default()), disk(d) {}
    const char* Name() const override { return "FaultyDisk"; }
    rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* file,
                                      rocksdb::IODebugContext* debug) override {
      auto made = FileSystemWrapper::NewWritableFile(name, options, file, debug);
      if (made.ok() && name.ends_with(".log")) *file = std::make_unique<Log>(std::move(*file), disk);
      return made;
    }
    FaultyDisk& disk;
  };

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool fail_append_ = false;
  bool fail_sync_ = false;
  bool held_ = false;
  int waiting_ = 0;
  int syncs_ = 0;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace stateway::store
