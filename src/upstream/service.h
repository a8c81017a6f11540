// One service as all loops share it: its options, its instances, its queue's length and its retry budget.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "upstream/changes.h"
#include "upstream/instance.h"
#include "upstream/options.h"

namespace stateway::upstream {

/// What the admin API shows of a service.
struct ServiceSnapshot {
  std::string name;
  bool supervised = false;
  unsigned waiting = 0;           // requests in the queue
  unsigned retrying = 0;          // retries in flight that the budget paid for
  unsigned count = 0;             // processes wished for now; 0 if not supervised
  unsigned configured_count = 0;  // … and by the configuration
  std::string rollout;            // what becomes of a changed program, for people; empty: nothing to say
  std::vector<InstanceSnapshot> instances;
};

/// What a service is at one moment. Immutable.
struct Roster {
  ServiceOptions options;  // their count is the one that was asked for by scale(), if it was
  /// In ascending order of index. Those that the options do not ask for any more drain (Drain::removed).
  std::vector<std::shared_ptr<Instance>> instances;

  bool supervised() const { return !options.command.empty(); }
};

/// Thread-safe. Must outlive every ServiceOnLoop, Monitor and Supervisor made for it.
class Service {
 public:
  /// `options` are valid (config checks them); instances are named "<service>-<n>" from 1. `clock` must
  /// outlive the service.
  Service(ServiceOptions options, const WallClock& clock);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Never changes.
  const std::string& name() const { return name_; }
  const WallClock& clock() const { return clock_; }
  /// As it is now. Never nullptr; replaced, with an announcement of `changes`, when the service is
  /// reconfigured.
  std::shared_ptr<const Roster> roster() const;
  /// Puts other options in force (of the same name, and supervised as before). An instance that the old and
  /// the new list share (by address; supervised ones by number) goes on as it is; one that is not listed any
  /// more is given no new requests, and stays in the roster until it is drained: then the Monitor takes it
  /// out, or the Supervisor, to which Supervisor::apply must be said. The home loop only.
  void reconfigure(ServiceOptions options);
  /// Asks for `count` processes of a supervised service, until the configured count is another one. Those of
  /// the highest numbers leave first. Supervisor::apply follows. The home loop only.
  void scale(unsigned count);
  /// Gives the configured instance at `name` the addresses that it stands for: one instance each, from now
  /// on. Until the first time there is one that gets no requests (Instance::settled). The home loop only.
  void set_addresses(const Address& name, std::vector<Address> found);
  /// Takes an instance out of the roster if it drains for having been removed. The home loop only.
  void remove(const Instance& instance);
  /// Takes an instance that is up out for a while (options.eject), unless fewer than half of those that are
  /// up and do not drain would be left. Any thread; rare, and the only part of ejection that takes a lock.
  void eject(Instance& instance, Instance::Status seen, TimePoint now);
  /// What ServiceSnapshot::rollout shows.
  void set_rollout(std::string text);
  /// By name, or nullptr.
  std::shared_ptr<Instance> find(std::string_view name) const;
  /// Announced when the state of an instance changed …
  Changes& changes() { return *changes_; }
  /// … and when one that was full (concurrency_per_instance) has room while requests wait.
  Changes& room() { return room_; }
  ServiceSnapshot snapshot() const;
  /// At least one instance gets requests.
  bool available() const;
  /// A process is being started, or will be once its predecessor has drained, so waiting longer than for a
  /// connect is worth it.
  bool starting() const;

  /// Retries after an answer or a time-out, as a share of the requests in flight.
  class RetryPermit {
   public:
    RetryPermit(RetryPermit&& other) noexcept : service_(std::exchange(other.service_, nullptr)) {}
    RetryPermit& operator=(RetryPermit&& other) noexcept {
      std::swap(service_, other.service_);
      return *this;
    }
    ~RetryPermit() {
      if (service_ != nullptr) service_->retrying_.fetch_sub(1);
    }

   private:
    friend class Service;
    explicit RetryPermit(Service& service) : service_(&service) {}
    Service* service_;
  };
  /// nullopt when the budget is spent. Keep the permit while the retry runs. Exchanges orphaned by a dead
  /// instance need none. kRetriesMin are always allowed, or a service with few requests had no budget at all;
  /// a budget of 0 allows none.
  std::optional<RetryPermit> permit_retry();

  /// A place in the queue, which is shared by all loops (options.queue).
  class QueuePlace {
   public:
    explicit QueuePlace(Service& service);
    ~QueuePlace();
    QueuePlace(const QueuePlace&) = delete;
    QueuePlace& operator=(const QueuePlace&) = delete;
    bool granted() const { return granted_; }

   private:
    Service& service_;
    bool granted_;
  };
  unsigned waiting() const { return waiting_.load(); }

  static constexpr unsigned kRetriesMin = 3;

 private:
  using Instances = std::vector<std::shared_ptr<Instance>>;
  Instances listed(const ServiceOptions& options, const Instances& present) const;
  std::vector<Endpoint> endpoints(const ServiceOptions& options) const;
  void take_over(ServiceOptions options);
  void replace_roster(ServiceOptions options, Instances instances);

  const std::string name_;
  const WallClock& clock_;
  const std::shared_ptr<Changes> changes_;
  Changes room_;
  std::map<std::string, std::vector<Address>> found_;  // by name and port; the home loop only
  mutable std::mutex mutex_;
  std::shared_ptr<const Roster> roster_;
  std::mutex ejecting_;
  std::string rollout_;
  unsigned configured_count_;
  std::optional<unsigned> scaled_;
  std::atomic<unsigned> waiting_{0};
  std::atomic<unsigned> retrying_{0};
};

}  // namespace stateway::upstream
