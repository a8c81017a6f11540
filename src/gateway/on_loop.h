// What the exchanges of one loop share: session rules, counters, and the configuration in force.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "gateway/counters.h"
#include "gateway/session_url.h"
#include "gateway/snapshot.h"
#include "http/date.h"
#include "io/loop.h"
#include "session/holders.h"
#include "session/sessions.h"
#include "upstream/service_on_loop.h"

namespace stateway::gateway {

class Pipeline;

/// The configuration in force on one loop. Immutable; an exchange keeps the one it began with.
struct LoopConfig {
  std::shared_ptr<const Snapshot> snapshot;
  std::vector<std::shared_ptr<upstream::ServiceOnLoop>> services;  // by index in snapshot->services
};

struct OnLoop {
  io::Loop& loop;
  const WallClock& clock;
  Random& random;
  session::Sessions& sessions;
  session::Holders& holders;
  SessionUrls& session_urls;
  std::shared_ptr<const LoopConfig> config;  // replaced by a reload
  const Pipeline& pipeline;
  Counters& counters;
  http::DateText date;

  const LimitsOptions& limits() const { return config->snapshot->limits; }
};

}  // namespace stateway::gateway
