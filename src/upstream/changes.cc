#include "upstream/changes.h"

#include <algorithm>

namespace stateway::upstream {

struct Changes::Subscription::Member {
  Member(io::Loop& l, Listener& listens) : loop(l), listener(&listens) {}
  io::Loop& loop;
  Listener* listener;  // of the loop's thread; nullptr once the subscription has ended
  std::atomic<bool> announced{false};
};

Changes::Subscription::Subscription(Changes& changes, io::Loop& loop, Listener& listener)
    : changes_(changes), member_(std::make_shared<Member>(loop, listener)) {
  const std::lock_guard lock(changes_.mutex_);
  changes_.members_.push_back(member_);
}

Changes::Subscription::~Subscription() {
  member_->listener = nullptr;  // mail under way finds nobody
  const std::lock_guard lock(changes_.mutex_);
  std::erase(changes_.members_, member_);
}

void Changes::announce() {
  const std::lock_guard lock(mutex_);
  for (const auto& member : members_) {
    if (member->announced.exchange(true)) continue;
    auto tell = [member] {
      member->announced.store(false);  // first: a change from here on is told again
      if (member->listener != nullptr) member->listener->on_change();
    };
    io::post(member->loop, std::move(tell));
  }
}

}  // namespace stateway::upstream
