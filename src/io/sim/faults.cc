#include "io/sim/faults.h"

#include <array>

namespace stateway::io {
namespace {

constexpr auto us = [](int n) { return Duration(std::chrono::microseconds(n)); };

const std::array<FaultProfile, 6> kProfiles = {{
    {"calm", {}},
    {"pieces",  // nothing is lost, everything comes in bits
     {.latency_max = us(2000),
      .split = 0.4,
      .short_read = 0.3,
      .short_write = 0.3,
      .spurious = 0.02,
      .buffer_min = 512,
      .buffer_max = 8 * 1024}},
    {"slow",
     {.latency_max = us(20'000),
      .delay = 0.03,
      .split = 0.1,
      .short_write = 0.05,
      .buffer_min = 4 * 1024,
      .buffer_max = 64 * 1024,
      .lose = 0.01,
      .stall = 0.002}},
    {"breaking",
     {.latency_max = us(1000),
      .split = 0.1,
      .reset = 0.02,
      .refuse = 0.02,
      .shortage = 0.005,
      .accept_shortage = 0.01}},
    {"silent", {.latency_max = us(1000), .delay = 0.005, .silence = 0.01, .lose = 0.02}},
    {"all",
     {.latency_max = us(5000),
      .delay = 0.01,
      .split = 0.2,
      .short_read = 0.2,
      .short_write = 0.1,
      .spurious = 0.01,
      .buffer_min = 1024,
      .buffer_max = 32 * 1024,
      .reset = 0.01,
      .silence = 0.003,
      .refuse = 0.01,
      .lose = 0.01,
      .shortage = 0.003,
      .accept_shortage = 0.005,
      .stall = 0.001}},
}};

}  // namespace

const FaultProfile& calm_profile() { return kProfiles.front(); }

const FaultProfile& draw_profile(Random& random) { return kProfiles[random.below(kProfiles.size())]; }

}  // namespace stateway::io
