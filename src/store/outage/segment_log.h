// A series of files that entries are appended to and that are deleted as a whole, the oldest first.
// docs/formats/outage-journal.md has the bytes.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace stateway::store::outage {

/// Where an entry is.
struct Place {
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;  // of its frame
  std::uint32_t bytes = 0;   // of the entry, without its frame
};

/// `append`, `drop_unneeded` and `drop_oldest` belong to one thread, the others to any. All of them block.
/// A file is never written to after a restart: what a crash left of its end is cut by not reading it.
class SegmentLog {
 public:
  struct Options {
    std::string folder;               // is there
    std::string name;                 // in front of the files' numbers
    std::uint64_t bytes_max = 0;      // of all files
    std::uint64_t segment_bytes = 0;  // then another file is begun
  };
  using Visit = std::function<Result<void>(const Place&, std::string_view entry)>;

  /// Reads what is there, in the order in which it was written; `visit` may refuse it. Errors: Code::io, with
  /// a sentence for the operator; those of `visit`.
  static Result<std::unique_ptr<SegmentLog>> open(Options options, const Visit& visit);
  ~SegmentLog();
  SegmentLog(const SegmentLog&) = delete;
  SegmentLog& operator=(const SegmentLog&) = delete;

  /// Appends all of `entries` or none; `synced`: completes when they are on disk. Their places, in order.
  /// Errors: store_unavailable: there is no room (bytes_max, or on the disk), or the disk failed. The next
  /// call tries again.
  Result<std::vector<Place>> append(std::span<const std::string> entries, bool synced);
  /// Errors: store_unavailable: the file is gone, or was damaged meanwhile.
  Result<std::string> read(const Place& place) const;

  /// Keeps the entry's file until it was released as often.
  void need(const Place& place);
  void release(const Place& place);
  /// Deletes the oldest files of which nothing is needed, up to the first one that is.
  void drop_unneeded();
  /// Deletes the oldest file whatever is needed of it. False: there is none.
  bool drop_oldest();

  /// Entries of segments before this one are gone.
  std::uint64_t first() const;
  std::uint64_t bytes() const;

 private:
  struct Segment;
  using SegmentPtr = std::shared_ptr<Segment>;

  explicit SegmentLog(Options options) : options_(std::move(options)) {}
  std::string path_of(std::uint64_t number) const;
  Result<void> scan(Segment& segment, const Visit& visit);
  Result<SegmentPtr> begin_segment();
  SegmentPtr find(std::uint64_t number) const;
  void drop(const SegmentPtr& segment);

  const Options options_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, SegmentPtr> segments_;
  std::uint64_t next_ = 1;
  SegmentPtr current_;  // the appending thread's; the last one, or none
  std::atomic<std::uint64_t> bytes_{0};
};

}  // namespace stateway::store::outage
