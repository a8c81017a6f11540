// [service.<name>] of the configuration: instances and how to use them. Plain values, immutable once loaded.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/secret.h"

namespace stateway::upstream {

inline constexpr unsigned kCountMax = 1'000;  // processes of one service

enum class Balance : std::uint8_t {
  p2c,  // the less busy of two drawn at random
  round_robin,
  least_requests,
  hash,  // by the key of the request (route.affinity, or its session); p2c for those that have none
};

/// Active checks: GET `path`, healthy on 2xx and 3xx. Without them an instance is up while it accepts
/// connections.
struct HealthOptions {
  std::string path = "/healthz";
  std::chrono::milliseconds interval{1'000};
  std::chrono::milliseconds timeout{500};
  unsigned fall = 2;  // failures in a row until it is down
  unsigned rise = 2;  // successes in a row until it is up
  bool operator==(const HealthOptions&) const = default;
};

struct RetryOptions {
  unsigned attempts = 3;  // in all, at least 1
  double budget = 0.2;    // 0..1: share of active requests that may be retries after an answer or a time-out
  bool operator==(const RetryOptions&) const = default;
};

struct TimeoutOptions {
  std::chrono::milliseconds connect{1'000};    // also the longest wait in the queue
  std::chrono::milliseconds response{30'000};  // from the request's last byte to the response's head
  std::chrono::milliseconds idle{60'000};      // between the bytes of a body, and of a pooled connection
  bool operator==(const TimeoutOptions&) const = default;
};

/// Taking out instances that answer checks but not requests.
struct EjectOptions {
  unsigned failures = 5;  // in a row: broken off, timed out, no HTTP, 502, 503 or 504; 0: never
  std::chrono::milliseconds time{10'000};       // doubles with every ejection that follows soon …
  std::chrono::milliseconds time_max{300'000};  // … up to this
  bool operator==(const EjectOptions&) const = default;
};

struct ServiceOptions {
  std::string name;
  std::vector<Address> instances;    // fixed addresses; ports are never 0. Either these …
  std::vector<std::string> command;  // … or a program and its arguments, run `count` times and restarted
  unsigned count = 1;
  bool socket = false;          // supervised instances get SOCKET instead of PORT
  std::optional<Secret> token;  // the contents of token_file, sent as Stateway-Token
  Balance balance = Balance::p2c;
  std::optional<HealthOptions> health;
  RetryOptions retry;
  TimeoutOptions timeout;
  std::chrono::milliseconds drain{
      30'000};  // gateway.drain_timeout: an instance that leaves or restarts waits
                // so long for its requests, and for clients that are bound to it
  std::chrono::milliseconds bound_idle{0};  // the longest idle of sessions in its instances' memory; 0: none
  unsigned concurrency_per_instance = 0;    // 0 = unlimited
  unsigned queue = 1'000;                   // requests waiting for an instance
  unsigned crash_limit = 5;                 // supervised: early deaths in a row; then nobody waits for it
  std::chrono::milliseconds slow_start{0};  // an instance that came up gets its full share after this
  EjectOptions eject;
  bool operator==(const ServiceOptions&) const = default;
};

}  // namespace stateway::upstream
