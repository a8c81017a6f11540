// One loop's way into a service: chooses instances, queues requests while there is none, pools connections.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "base/random.h"
#include "io/loop.h"
#include "io/network.h"
#include "io/task.h"
#include "upstream/balancer.h"
#include "upstream/lease.h"
#include "upstream/pool.h"
#include "upstream/service.h"

namespace stateway::upstream {

/// Before an instance that failed an exchange gets the same exchange again. Long enough to learn that it
/// died.
inline constexpr Duration kRepeatPause = 50ms;
/// How long a process may take to start: requests wait that long for a service all of whose instances
/// restart, and an instance that does not answer by then is down.
inline constexpr Duration kStartAllowance = 10s;
/// Idle connections one loop keeps to one instance.
inline constexpr std::size_t kIdlePerInstance = 256;

/// Belongs to its loop. Destroy it on the loop's thread, or when that has ended, and after its leases.
class ServiceOnLoop final : private Changes::Listener {
 public:
  /// `limits` are those of response heads. All references must outlive this.
  ServiceOnLoop(Service& service, io::Loop& loop, io::Network& network, Random& random,
                http::HeadLimits limits);
  ~ServiceOnLoop();

  Service& service() { return service_; }
  /// Of the response heads that are read from now on.
  void set_head_limits(http::HeadLimits limits) { limits_ = limits; }

  /// An instance that is up, has room and was not tried, without waiting; nullopt if there is none, or if
  /// those who wait for room (concurrency_per_instance) could use it.
  std::optional<Lease> try_acquire(Attempts& attempts);
  /// The same, but waits, first come first served, until an instance can take the request: at most
  /// timeout.connect, or kStartAllowance while a process of the service is (re)starting, and never beyond
  /// `deadline`. Errors, Side::upstream: queue_full (options.queue), no_instance, instance_lost (the pinned
  /// one is gone; at once). `attempts` must outlive the
  /// task.
  io::Task<Result<Lease>> acquire(Attempts& attempts, TimePoint deadline);

  /// Idle connections kept to an instance.
  std::size_t idle_connections(const Instance& instance) const;

 private:
  friend class Lease;
  class Waiter;
  struct Member {
    std::shared_ptr<Instance> instance;
    std::unique_ptr<Pool> pool;
  };

  void on_change() override;
  void take_roster();
  const ServiceOptions& options() const { return roster_->options; }
  /// `again`: one that was tried, instead of one that was not.
  std::optional<Lease> pick(Attempts& attempts, bool again);
  bool eligible(const Attempts& attempts, const Instance& instance, Instance::Status status) const;
  bool lost(const Attempts& attempts) const;
  /// Fills candidates_ with those that may be picked now. Whether there are any.
  bool find_candidates(const Attempts& attempts, bool again);
  /// Fills candidates_; `ejected`: with those that are ejected, instead of those that are not. Whether any
  /// is up at all, has it room or not.
  bool gather(const Attempts& attempts, bool again, bool ejected);
  bool has_its_turn(const Instance& instance, const Attempts& attempts) const;
  std::size_t best(const Attempts& attempts);
  void judge(Instance& instance, std::uint64_t generation, Outcome outcome);
  bool has_room() const;
  bool room_is_awaited();
  TimePoint wait_end(TimePoint began) const;
  void serve_waiters();
  void released();
  const Member* member(std::size_t index) const;
  /// nullptr: the instance has left the service.
  Pool* pool_of(const Instance& instance) const;
  std::unique_ptr<Connection> take_idle(const Instance& instance, std::uint64_t generation);
  io::Task<Result<std::unique_ptr<Connection>>> connect(std::shared_ptr<Instance> instance, bool fresh);

  Service& service_;
  io::Loop& loop_;
  io::Network& network_;
  http::HeadLimits limits_;
  Random& random_;
  std::shared_ptr<const Roster> roster_;  // as this loop knows it: may be old until its mail is read
  std::unique_ptr<Balancer> balancer_;
  std::vector<Member> members_;        // of the roster, in its order
  std::vector<Candidate> candidates_;  // of the pick being made
  std::vector<Candidate> late_;        // … those that have not their turn, because they came up lately
  std::list<Waiter*> waiters_;
  bool* gone_ = nullptr;  // set by the destructor while waiters are being served
  Changes::Subscription state_changes_;
  Changes::Subscription room_;
};

}  // namespace stateway::upstream
