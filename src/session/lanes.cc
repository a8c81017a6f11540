#include "session/lanes.h"

#include <algorithm>

#include "base/check.h"

namespace stateway::session {

// Tells a waiter on its own loop that the turn is its own. When the waiter has gone meanwhile, it has passed
// the turn on itself (Enter's destructor saw `granted`).
class Lanes::GrantMail final : public io::Mail {
 public:
  explicit GrantMail(std::shared_ptr<Place> place) : place_(std::move(place)) {}
  void deliver() override {
    if (place_->waiting) std::exchange(place_->waiting, nullptr).resume();
  }

 private:
  std::shared_ptr<Place> place_;
};

void Lanes::release(const std::string& key) {
  std::shared_ptr<Place> next;
  {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    const auto lane = shard.lanes.find(key);
    CHECK(lane != shard.lanes.end());
    if (lane->second.queue.empty()) {
      shard.lanes.erase(lane);
      return;
    }
    next = std::move(lane->second.queue.front());
    lane->second.queue.pop_front();
    next->granted = true;
  }
  next->loop.deliver(new GrantMail(next));
}

void Lanes::leave(const std::string& key, const std::shared_ptr<Place>& place) {
  {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    if (!place->granted) {
      // Those whose time is over stand in front: they are found at once, however long the queue is.
      auto& queue = shard.lanes.at(key).queue;
      queue.erase(std::ranges::find(queue, place));
      return;
    }
  }
  release(key);  // the turn came while the waiter was leaving: it is the next one's
}

std::size_t Lanes::busy() const {
  std::size_t n = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    n += shard.lanes.size();
  }
  return n;
}

Lanes::Enter::~Enter() {
  if (place_ && !holds_) {
    place_->waiting = nullptr;
    lanes_.leave(key_, place_);
  } else if (holds_ && !key_.empty()) {
    lanes_.release(key_);  // destroyed between the grant and await_resume
  }
}

bool Lanes::Enter::await_ready() {
  Shard& shard = lanes_.shard_of(key_);
  const std::lock_guard lock(shard.mutex);
  const auto [lane, free] = shard.lanes.try_emplace(key_);
  holds_ = free;
  if (!free) {
    if (lane->second.queue.size() >= waiting_max_) return true;
    place_ = std::make_shared<Place>(loop_);
    lane->second.queue.push_back(place_);
  }
  return free;
}

void Lanes::Enter::await_suspend(std::coroutine_handle<> h) {
  place_->waiting = h;  // a grant arrives by mail on this loop's next turn at the earliest
  arm(deadline_);
}

void Lanes::Enter::on_timer() { std::exchange(place_->waiting, nullptr).resume(); }

Result<Lanes::Lease> Lanes::Enter::await_resume() {
  disarm();
  if (place_) {
    Shard& shard = lanes_.shard_of(key_);
    const std::lock_guard lock(shard.mutex);
    holds_ = place_->granted;
  }
  if (!holds_) return fail(Code::lane_full, Side::client, "too many exchanges of this session wait");
  place_.reset();
  return Lease(lanes_, std::exchange(key_, {}));
}

}  // namespace stateway::session
