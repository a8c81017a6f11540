// A real Redis master with replicas, watched by sentinels, for one test: 1 + 2 + 3 of them on 127.0.0.1.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "redis_server.h"

namespace stateway::stores {

struct SentinelOptions {
  std::size_t replicas = 2;
  std::size_t sentinels = 3;
  std::chrono::milliseconds down_after = 1000ms;
  std::vector<std::string> directives{};  // of every server's redis.conf, not of the sentinels'
  std::string password{};                 // of the servers
  std::string sentinel_password{};        // of the sentinels
};

/// Servers are numbered: 0 is the first master. The master's name is kName. Ready when the constructor
/// returns. Everything that cannot be done throws std::runtime_error.
class RedisSentinel {
 public:
  static constexpr const char* kName = "mymaster";

  explicit RedisSentinel(SentinelOptions options = {});

  std::size_t size() const { return servers_.size(); }
  RedisServer& server(std::size_t number) { return *servers_[number]; }
  std::size_t sentinels() const { return sentinels_.size(); }
  RedisServer& sentinel(std::size_t number) { return *sentinels_[number]; }
  /// "127.0.0.1:PORT" of each sentinel.
  std::vector<std::string> addresses() const;

  /// The server that all sentinels that run name as master; size() while they do not agree.
  std::size_t master();
  /// Asks the sentinels for another master although this one is well.
  void fail_over();
  /// Returns the master, another than `gone`, once all sentinels name it and it says so itself.
  std::size_t wait_for_another_master(std::size_t gone, Duration limit = 30s);
  /// Returns once every server that runs and is not the master replicates the master.
  void wait_until_healthy(Duration limit = 30s);

 private:
  void start_servers(const SentinelOptions& options);
  void start_sentinels(const SentinelOptions& options);
  bool is_healthy();

  std::vector<std::unique_ptr<RedisServer>> servers_;
  std::vector<std::unique_ptr<RedisServer>> sentinels_;
};

}  // namespace stateway::stores
