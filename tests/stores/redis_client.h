// Commands to a Redis server from a test's thread, one at a time, blocking. The gateway has its own client;
// tests that look at what that did, or make trouble for it, use this one.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

struct redisContext;

namespace stateway::stores {

struct RedisReply {
  enum class Kind : std::uint8_t { nil, status, error, integer, text, array };
  Kind kind = Kind::nil;
  std::string text;  // of status, error and text
  std::int64_t integer = 0;
  std::vector<RedisReply> items;  // of array

  bool failed() const { return kind == Kind::error; }
  bool operator==(std::string_view other) const { return kind != Kind::error && text == other; }
};

using Words = std::vector<std::string>;

/// There is no connection, or it broke before the reply.
struct NoReply : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Not thread-safe. Connects when it is first used, and again after the connection broke.
class RedisClient {
 public:
  /// `where`: the path of a unix socket, or "127.0.0.1:PORT". `password`: empty for none.
  explicit RedisClient(std::string where, std::string password = {}, Duration limit = 10s);
  RedisClient(RedisClient&&) noexcept;
  RedisClient& operator=(RedisClient&&) noexcept;
  ~RedisClient();

  /// The reply, which may be an error of the server. Throws NoReply.
  RedisReply ask(const Words& words);
  /// The same, for commands that must not fail: throws std::runtime_error for an error of the server.
  RedisReply must(const Words& words);
  /// True when the server answers PING with PONG: it listens, and has loaded its data.
  bool answers();
  void disconnect() { context_.reset(); }

 private:
  struct Free {
    void operator()(redisContext* context) const;
  };
  void connect();
  bool is_stale() const;
  RedisReply exchange(const Words& words);

  std::string where_;
  std::string password_;
  Duration limit_;
  std::unique_ptr<redisContext, Free> context_;
};

}  // namespace stateway::stores
