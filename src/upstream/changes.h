// How the loops learn that something changed at a service: an instance came up, went down, or has room again.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "io/loop.h"

namespace stateway::upstream {

/// Broadcasts by mail. Carries no facts: whoever is told looks at the instances. Thread-safe.
class Changes {
 public:
  class Listener {
   public:
    /// On the subscriber's loop, once for one or more announcements.
    virtual void on_change() = 0;

   protected:
    ~Listener() = default;
  };

  /// One listener's membership. Belongs to its loop: made before the loop runs or on its thread, and
  /// destroyed on its thread or after it has ended.
  class Subscription {
   public:
    /// `changes`, `loop` and `listener` must outlive the subscription.
    Subscription(Changes& changes, io::Loop& loop, Listener& listener);
    ~Subscription();
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

   private:
    friend class Changes;
    struct Member;
    Changes& changes_;
    std::shared_ptr<Member> member_;
  };

  /// Tells every subscriber. Any thread.
  void announce();

 private:
  std::mutex mutex_;  // also keeps a subscriber's loop alive while mail is handed to it
  std::vector<std::shared_ptr<Subscription::Member>> members_;
};

}  // namespace stateway::upstream
