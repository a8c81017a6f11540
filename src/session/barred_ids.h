// Sessions that nothing opens any more although no store says so.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/clock.h"

namespace stateway::session {

/// Public ids, each until its session's absolute expiry; in this process only. Bounded: beyond kMost the
/// oldest is forgotten. Thread-safe; asking costs one load while there are none.
class BarredIds {
 public:
  void add(std::string id, WallMillis until, WallMillis now);
  bool contains(std::string_view id) const;

  static constexpr std::size_t kMost = 100'000;  // some 10 MB, of failures to log in or out in one `absolute`

 private:
  struct Entry {
    std::string id;
    WallMillis until;
  };
  std::atomic<std::size_t> count_{0};
  mutable std::mutex mutex_;
  std::deque<Entry> oldest_first_;
  std::unordered_set<std::string_view> ids_;  // into the entries
};

}  // namespace stateway::session
