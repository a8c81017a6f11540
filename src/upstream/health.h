// Active health: when to check an instance, how, and what the result means.
#pragma once

#include <string>

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
///   down      by a check: every interval, up after `rise` successes in a row. By a refused connect of an exchange:
///             eagerly, up after one.
/// Without `health` fall and rise are 1 and a check is a connect.
class HealthRules {
 public:
  enum class Verdict : std::uint8_t { none, up, down };

  HealthRules(const ServiceOptions& options);  // NOLINT(google-explicit-constructor)

  /// How long from `now` until the next check; kNever: none is due until something changes.
  Duration next_check(Instance::Status status, bool process_runs, TimePoint now);
  /// What a check says that began at `status`.
  Verdict judge(Instance::Status status, bool good, TimePoint now);

  static constexpr Duration kNever = Duration::max();
  static constexpr Duration kEagerFirst = 10ms;  // doubles up to the interval

 private:
  void meet(Instance::Status status, TimePoint now);

  const bool supervised_;
  const bool http_;
  const Duration interval_;
  const unsigned fall_;
  const unsigned rise_;
  Instance::Status met_{~std::uint64_t{0}, State::stopped};
  TimePoint met_at_{};
  unsigned checks_ = 0;  // since the status was met
  unsigned good_ = 0;    // in a row
  unsigned bad_ = 0;
  bool marked_down_by_check_ = false;
};

/// One check: GET health.path on a connection of its own, good if the status is 2xx or 3xx; without `health` a
/// connect. Errors: why it is not good, for people.
class HealthProbe {
 public:
  /// The references must outlive the probe.
  HealthProbe(const ServiceOptions& options, io::Loop& loop, io::Network& network);
  /// `to` must live until completion.
  io::Task<Result<void>> run(const Address& to);

 private:
  std::string request(const Address& to) const;
  io::Task<Result<void>> ask(io::Stream& stream, const Address& to, TimePoint deadline);

  const ServiceOptions& options_;
  io::Loop& loop_;
  io::Network& network_;
};

}  // namespace stateway::upstream
