// One instance of a service, as all loops see it: where it is, whether it may be used, how busy it is.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "upstream/changes.h"

namespace stateway::upstream {

enum class State : std::uint8_t {
  starting,  // not known to work yet: just configured, being started or restarted
  up,
  down,      // does not answer; checked on, and used again when it does
  draining,  // finishes what it has and gets no new requests (see Drain), or its process is being ended
  stopped,   // its process was ended on purpose
};
std::string_view state_name(State state);

/// Why an instance gets no new requests although it works. Several may hold at once.
enum class Drain : std::uint8_t {
  wish = 1,     // an operator's
  restart = 2,  // its process will be ended, and started again
  removed = 4,  // it has left the configuration, and leaves the roster once it is drained
};

/// Whether an instance at this address stands for all addresses that its name has, which are looked up again
/// and again. Not "localhost": that is one instance, whichever address it listens on.
bool is_looked_up(const Address& address);

/// How often what drains is looked at.
inline constexpr Duration kDrainTick = 20ms;

/// Where an instance is reached, and the secret it expects as Stateway-Token (nullptr: none).
struct Endpoint {
  Address address{};
  std::shared_ptr<const Secret> token{};
  std::string host{};  // of health checks, if the configuration has a name for the address
};

/// What the admin API shows of an instance.
struct InstanceSnapshot {
  std::string name;
  std::string address;  // as configured, or where the present process listens; empty before its first start
  State state = State::starting;
  std::string_view drain;  // the gravest reason: "removed", "restart", "operator"; empty: none
  pid_t pid = 0;           // 0: not supervised, or no process now
  unsigned active = 0;
  std::uint64_t requests = 0;  // handed to it so far
  std::uint64_t failures = 0;  // connects that failed and requests it did not answer
  std::uint64_t restarts = 0;
  WallMillis since = 0;          // of the state
  WallMillis ejected_until = 0;  // 0: it is not ejected
  WallMillis next_start = 0;     // of its process, after an early death; 0: none is waited for
  std::string last_error;        // why it was last taken out; empty if never
};

/// Thread-safe: state, load and counters are atomics; address and texts have a mutex that is taken for new
/// connections only. Shared by the service and the leases.
class Instance {  // NOLINT(clang-analyzer-optin.performance.Padding): active_ has its own cache line
 public:
  /// State and generation, read together. The generation changes whenever the instance starts, ends, or comes
  /// back up: a connection or a failed attempt of another generation says nothing about the present one.
  struct Status {
    std::uint64_t generation = 0;
    State state = State::starting;
    bool operator==(const Status&) const = default;
  };

  /// `fixed`: the configured address, or nullopt for a supervised instance. `index` is its place in the
  /// service.
  Instance(std::string name, std::size_t index, std::optional<Endpoint> fixed,
           std::shared_ptr<Changes> changes, const WallClock& clock);
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  /// "shop-1".
  const std::string& name() const { return name_; }
  std::size_t index() const { return index_; }
  /// What keys are hashed with: of the address if that is fixed, else of the name. The same in every run.
  std::uint64_t place() const { return place_.load(std::memory_order_relaxed); }
  bool supervised() const { return supervised_; }
  /// Where to connect now. A supervised instance has an address from its first start on.
  Address address() const { return endpoint().address; }
  Endpoint endpoint() const;
  /// Of a fixed instance. Connections with another token are not used again.
  void set_token(const std::optional<Secret>& token);
  /// False while the address is a name that is looked up (is_looked_up) but was not found yet: whose memory
  /// is reached by it is not known, so that it has no identity and is never up.
  bool settled() const { return supervised_ || identity() != 0; }
  /// Gives one that is not settled its address, which is checked anew. The home loop only.
  void settle(Address address, std::string host);

  Status status() const { return unpack(status_.load()); }
  /// May be given new requests: up and not draining.
  bool usable(Status s) const { return s.state == State::up && drains_.load() == 0; }
  /// What the state of clients in this instance's memory hangs on: the process, where we start it; service
  /// and address, where others do, since nobody tells us of restarts. 0: there is no such memory now.
  std::uint64_t identity() const { return identity_.load(); }
  /// May be given requests of clients that are bound to it: up, and draining not longer than it may.
  bool reachable(Status s, TimePoint now) const { return s.state == State::up && now < drain_deadline(); }
  State state() const;
  pid_t pid() const { return pid_.load(std::memory_order_relaxed); }
  InstanceSnapshot snapshot() const;

  // Load.
  unsigned active() const { return active_.load(); }
  /// Counts one more request in flight unless there are `limit` already (0: no limit).
  bool enter(unsigned limit);
  void leave() { active_.fetch_sub(1); }

  // Passive health, reported by any loop; `seen` is the status when the attempt began.
  void connected() { connect_timeouts_.store(0, std::memory_order_relaxed); }
  /// A refused connect means that nobody listens: down at once. Connects that time out may be load: down
  /// after kConnectTimeoutsMax in a row. Failures of our own side (no descriptors) are not held against it.
  void connect_failed(Status seen, const Error& error);
  void request_failed() { failures_.fetch_add(1, std::memory_order_relaxed); }

  // Ejection (Service::eject): requests failed in a row although checks go well. Of one generation: an
  // instance that came back is judged anew.
  /// Returns how many there were in a row with this one.
  unsigned request_went_wrong(Status seen);
  void request_went_well();
  bool ejected(Status s, TimePoint now) const;
  /// Takes it out for `first`, or, if it has not been back for longer than it was last taken out, for twice
  /// as long as then, up to `longest`. Returns for how long. One caller at a time.
  Duration eject(Status seen, TimePoint now, Duration first, Duration longest);

  /// Its share of requests, 0.1 to 1: an instance that came up gets its full one after `slow_start`.
  double share(std::chrono::milliseconds slow_start) const;
  static constexpr double kShareMin = 0.1;

  // Active health. Nothing happens, and false is returned, unless the status still is `seen`.
  bool mark_up(Status seen);
  bool mark_down(Status seen, std::string_view why);

  // Draining: no new requests. The home loop begins and ends it.
  void drain(Drain why);
  void undrain(Drain why);
  bool draining() const { return drains_.load() != 0; }
  bool drains_for(Drain why) const { return (drains_.load() & static_cast<std::uint8_t>(why)) != 0; }
  /// Until when requests in flight and bound clients are waited for. Set by whoever times the drain (Monitor,
  /// Supervisor), forgotten when it ends; TimePoint::max() while nobody did.
  void set_drain_deadline(TimePoint at) { drain_deadline_.store(at.time_since_epoch().count()); }
  TimePoint drain_deadline() const { return TimePoint(Duration(drain_deadline_.load())); }
  /// A client that is bound to this instance may come back until then: draining waits for it.
  void expect_client(WallMillis until);
  /// Nobody needs it: no requests in flight, and no bound client may come back.
  bool idle() const { return active() == 0 && client_expected_until_.load() <= clock_.now(); }

  // The supervisor's events; its loop only.
  /// A process was started and will listen at `endpoint`; `identity`, not 0, was drawn for it. The first one
  /// is no restart.
  void process_started(pid_t pid, Endpoint endpoint, std::uint64_t identity);
  /// It is about to be ended on purpose: no requests at all, and its connections are not kept.
  void process_ending();
  /// The process is gone and another will be started.
  void process_ended(std::string_view why);
  /// It cannot be started, or dies each time: not worth waiting for until it has been up again.
  void process_failing(std::string_view why);
  bool failing() const { return failing_.load(std::memory_order_relaxed); }
  /// When a process is started again; 0: none is waited for.
  void set_next_start(WallMillis at) { next_start_.store(at, std::memory_order_relaxed); }
  void process_stopped();
  /// It has been up since its process started.
  bool was_up() const { return was_up_.load(std::memory_order_relaxed); }

  static constexpr unsigned kConnectTimeoutsMax = 3;

 private:
  static std::uint64_t pack(Status s) { return s.generation << 8 | static_cast<std::uint64_t>(s.state); }
  static Status unpack(std::uint64_t v) { return {v >> 8, static_cast<State>(v & 0xff)}; }
  void process_gone();
  bool replace(Status seen, Status next);
  void enter_state(State state);  // whatever the status was; a new generation
  void changed();
  void remember_error(std::string_view why);

  const std::string name_;
  const std::size_t index_;
  const bool supervised_;
  const std::shared_ptr<Changes> changes_;
  const WallClock& clock_;

  std::atomic<std::uint64_t> status_{0};
  std::atomic<std::uint64_t> identity_;
  std::atomic<std::uint8_t> drains_{0};  // of Drain
  std::atomic<Duration::rep> drain_deadline_{Duration::max().count()};
  std::atomic<WallMillis> client_expected_until_{0};
  std::atomic<bool> was_up_{false};
  std::atomic<bool> failing_{false};
  std::atomic<std::uint64_t> place_;
  std::atomic<WallMillis> up_since_{0};
  std::atomic<WallMillis> next_start_{0};
  std::atomic<unsigned> failed_in_row_{0};
  std::atomic<std::uint64_t> ejected_generation_{0};
  std::atomic<Duration::rep> ejected_until_{0};
  std::atomic<WallMillis> ejected_until_wall_{0};
  Duration ejection_{};  // the last one; of `eject` alone
  std::atomic<pid_t> pid_{0};
  std::atomic<unsigned> connect_timeouts_{0};
  std::atomic<WallMillis> since_;
  std::atomic<std::uint64_t> starts_{0};
  std::atomic<std::uint64_t> failures_{0};

  mutable std::mutex mutex_;
  Endpoint endpoint_;
  std::string last_error_;

  alignas(64) std::atomic<unsigned> active_{0};  // written by every loop for every request
  std::atomic<std::uint64_t> requests_{0};
};

}  // namespace stateway::upstream
