// Active health: when to check an instance, how, and what the result means.
#pragma once

#include <cstdint>
#include <optional>

#include "io/loop.h"
#include "io/network.h"
#include "io/task.h"
#include "upstream/options.h"
#include "upstream/service.h"

namespace stateway::upstream {

/// The rules, without I/O. One per instance.
///   starting  checked eagerly; the first success is `up`. A fixed instance is down after `fall` failures, a
///             supervised one when kStartAllowance is over.
///   up        checked every interval (only if `health` is set); down after `fall` failures in a row.
///   down      by a check: every interval, up after `rise` successes in a row. By a refused connect of an
///   exchange:
///             eagerly, up after one.
/// Without `health` fall and rise are 1 and a check is a connect.
class HealthRules {
 public:
  enum class Verdict : std::uint8_t { none, up, down };

  explicit HealthRules(const ServiceOptions& options);

  /// When the next check is due; kNoDeadline: none until something changes. Call it first with each new
  /// status.
  TimePoint due(Instance::Status status, bool process_runs, TimePoint now);
  /// What a check says that began at `status`, the last one that `due` saw.
  Verdict judge(Instance::Status status, bool good, TimePoint now);

  static constexpr Duration kEagerFirst = 10ms;  // doubles …
  static constexpr Duration kEagerLast = 250ms;  // … up to this, or the interval

 private:
  void meet(Instance::Status status, TimePoint now);
  Duration eager(unsigned step) const;

  const bool supervised_;
  const bool http_;
  const Duration interval_;
  const unsigned fall_;
  const unsigned rise_;
  Instance::Status met_{~std::uint64_t{0}, State::stopped};
  TimePoint met_at_{};
  TimePoint last_{};                                             // check, or when the status was met
  unsigned checks_ = 0;                                          // since the status was met
  unsigned good_ = 0;                                            // in a row
  unsigned bad_ = 0;                                             // in a row
  bool by_check_ = false;                                        // the status is the `down` of a verdict
  Instance::Status verdict_{~std::uint64_t{0}, State::stopped};  // the last `down`
};

/// Whether an instance is checked in the same way under both.
bool checked_alike(const ServiceOptions& a, const ServiceOptions& b);

/// One check: GET health.path on a connection of its own, good if the status is 2xx or 3xx; without `health`
/// a connect. Errors: why it is not good, for people.
class HealthProbe {
 public:
  /// The references must outlive the probe.
  HealthProbe(const ServiceOptions& options, io::Loop& loop, io::Network& network);
  io::Task<Result<void>> run(Endpoint to);

 private:
  const std::optional<HealthOptions> health_;
  const Duration patience_;
  io::Loop& loop_;
  io::Network& network_;
};

}  // namespace stateway::upstream
