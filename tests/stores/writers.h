// Many clients of a store that commit all the time, and know what was acknowledged to them, while a test
// makes trouble for its servers.
#pragma once

#include <atomic>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "store/loop_thread.h"
#include "store/store.h"

namespace stateway::stores {

/// Each writer has two records of its own, which each commit writes: their value is their revision in decimal
/// digits. They are spread over the loops.
class Writers {
 public:
  /// `keys`, of 12 octets, are those of the first records. Loops and store must outlive it.
  Writers(const std::vector<store::LoopThread*>& loops, store::StateStore& store,
          std::vector<std::string> keys, WallMillis expires_at);
  /// Ends them first, if `stop` did not.
  ~Writers();
  Writers(const Writers&) = delete;
  Writers& operator=(const Writers&) = delete;

  /// Polls until every writer has had so many more commits acknowledged than when this was called. Throws
  /// std::runtime_error when it takes too long.
  void wait_for_commits(std::uint64_t more, Duration limit = 60s);
  /// No more commits; returns when those under way have ended. Then loads all records a last time.
  void stop();

  std::uint64_t acknowledged() const;  // of all writers
  std::uint64_t failed() const;        // commits and loads that ended with an error but a conflict
  /// Acknowledged commits that a later load did not show, of writer `i`.
  std::uint64_t lost(std::size_t i) const { return writers_[i]->lost; }
  std::uint64_t lost() const;
  /// Records that were not what their writer made of them, and pairs that are not alike at the end.
  std::uint64_t wrong() const;
  std::string last_error() const;  // after `stop`

 private:
  struct Writer {
    std::string key;
    std::uint64_t gateway = 0;
    std::uint64_t sequence = 0;
    store::Revision shown = 0;  // the last that was acknowledged, less what was lost
    std::atomic<std::uint64_t> acknowledged{0};
    std::atomic<std::uint64_t> failed{0};
    std::atomic<std::uint64_t> lost{0};
    std::atomic<std::uint64_t> wrong{0};
    std::string error;
  };
  static io::Task<bool> write(io::Loop& loop, store::StateStore& store, Writer& writer,
                              const std::atomic<bool>& stopping, WallMillis expires_at);
  static io::Task<bool> compare(io::Loop& loop, store::StateStore& store, Writer& writer);
  static io::Task<bool> step(io::Loop& loop, store::StateStore& store, Writer& writer, WallMillis expires_at);
  static io::Task<bool> look(io::Loop& loop, store::StateStore& store, Writer& writer,
                             std::optional<store::Record>& found);

  std::atomic<bool> stopping_{false};
  std::vector<std::unique_ptr<Writer>> writers_;
  std::vector<std::future<bool>> running_;
};

}  // namespace stateway::stores
