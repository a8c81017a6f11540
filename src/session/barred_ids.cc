#include "session/barred_ids.h"

#include <utility>

namespace stateway::session {

void BarredIds::add(std::string id, WallMillis until, WallMillis now) {
  const std::lock_guard lock(mutex_);
  if (ids_.contains(id)) return;
  while (!oldest_first_.empty() && (oldest_first_.front().until <= now || oldest_first_.size() >= kMost)) {
    ids_.erase(oldest_first_.front().id);
    oldest_first_.pop_front();
  }
  oldest_first_.push_back({std::move(id), until});
  ids_.insert(oldest_first_.back().id);
  count_.store(oldest_first_.size(), std::memory_order_release);
}

bool BarredIds::contains(std::string_view id) const {
  if (count_.load(std::memory_order_acquire) == 0) return false;
  const std::lock_guard lock(mutex_);
  return ids_.contains(id);
}

}  // namespace stateway::session
