// One request's hold on one instance.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "io/task.h"
#include "upstream/connection.h"
#include "upstream/instance.h"

namespace stateway::upstream {

class ServiceOnLoop;

/// What one exchange has tried so far. An instance that was restarted or came back up since is a new one.
class Attempts {
 public:
  /// Leases given out for this exchange.
  unsigned made() const { return made_; }
  /// Of the last kRemembered attempts.
  bool has_tried(const Instance& instance, std::uint64_t generation) const;

  /// Whether an instance that was tried before may be tried again when no other is up (after kRepeatPause).
  bool repeat = true;
  /// Instance::identity() of the only instance that may be chosen; it may drain (Instance::reachable): what
  /// it has in its memory is nowhere else.
  std::optional<std::uint64_t> only;
  /// The hash of what decides where the request goes (by_key); none: the service's policy does.
  std::optional<std::uint64_t> key;

  static constexpr std::size_t kRemembered = 8;

 private:
  friend class ServiceOnLoop;
  void add(const Instance& instance, std::uint64_t generation);

  struct Tried {
    const Instance* instance = nullptr;
    std::uint64_t generation = 0;
  };
  std::array<Tried, kRemembered> tried_{};
  unsigned made_ = 0;
};

enum class Outcome : std::uint8_t {
  answered,  // a response head came
  unwell,    // … but it was a 502, 503 or 504
  failed,    // it broke, timed out or was no HTTP; failed connects count by themselves
};

/// Counts as a request in flight at the instance until it is destroyed. Belongs to its loop; its
/// ServiceOnLoop must outlive it.
class Lease {
 public:
  Lease(Lease&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)),
        instance_(std::move(other.instance_)),
        generation_(other.generation_),
        identity_(other.identity_) {}
  Lease& operator=(Lease&& other) noexcept {
    std::swap(owner_, other.owner_);
    std::swap(instance_, other.instance_);
    std::swap(generation_, other.generation_);
    std::swap(identity_, other.identity_);
    return *this;
  }
  ~Lease();

  const Instance& instance() const { return *instance_; }
  /// The instance's when it was chosen.
  std::uint64_t generation() const { return generation_; }
  /// Whose memory the request reaches: the instance's identity when it was chosen.
  std::uint64_t identity() const { return identity_; }

  /// An idle connection, without waiting; nullptr if there is none.
  std::unique_ptr<Connection> take_idle();
  /// An idle connection, or a new one; only a new one if `fresh`. Waits at most timeout.connect.
  /// Errors: connect_failed, connect_timeout, which the instance's passive health has noted. The lease need
  /// not outlive the task, the ServiceOnLoop must.
  io::Task<Result<std::unique_ptr<Connection>>> connect(bool fresh = false);
  /// For another exchange; call only when both messages ended cleanly and neither side asked to close.
  void give_back(std::unique_ptr<Connection> connection);
  /// How the attempt ended, once a request was sent.
  void report(Outcome outcome);
  /// Its client has state in the instance's memory and may come back for it until then.
  void expect_client(WallMillis until) const { instance_->expect_client(until); }

 private:
  friend class ServiceOnLoop;
  Lease(ServiceOnLoop& owner, std::shared_ptr<Instance> instance, std::uint64_t generation,
        std::uint64_t identity)
      : owner_(&owner), instance_(std::move(instance)), generation_(generation), identity_(identity) {}

  ServiceOnLoop* owner_;  // nullptr once moved from
  std::shared_ptr<Instance> instance_;
  std::uint64_t generation_;
  std::uint64_t identity_;
};

}  // namespace stateway::upstream
