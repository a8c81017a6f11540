// What the exchanges of one loop share: its network, services, session rules, and the configuration in force.
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
#include "session/sessions.h"
#include "upstream/service_on_loop.h"

namespace stateway::gateway {

class Pipeline;

struct OnLoop {
  io::Loop& loop;
  const WallClock& clock;
  Random& random;
  session::Sessions& sessions;
  SessionUrls& session_urls;
  std::vector<upstream::ServiceOnLoop*> services;  // by index in the configuration
  std::shared_ptr<const Snapshot> config;
  const Pipeline& pipeline;
  Counters& counters;
  http::DateText date;
  bool draining = false;  // no connection is kept alive any more
};

}  // namespace stateway::gateway
