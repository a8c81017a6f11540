// A real redis-server for one test: on 127.0.0.1, in a folder of its own, gone at the end of the test or of
// the test's process, however that ends.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/program.h"
#include "redis_client.h"
#include "reserved_port.h"
#include "store/temporary_directory.h"

namespace stateway::stores {

struct RedisOptions {
  std::vector<std::string> directives{};  // lines of redis.conf: "appendonly yes"; they win over the defaults
  std::string password{};                 // of the default user, and towards a master; empty: none
  struct Tls {
    std::string certificate, key, ca;  // PEM files
    bool clients_need_one = false;     // a certificate of this CA
  };
  std::optional<Tls> tls{};  // then `port` speaks TLS only
  bool sentinel = false;
};

/// Started by the constructor, without any persistence but what `directives` ask for. Everything that cannot
/// be done throws std::runtime_error, with the server's log. Start and use it on a thread that lives longer.
class RedisServer {
 public:
  explicit RedisServer(RedisOptions options = {}) : RedisServer(std::move(options), Later()) { start(); }
  /// The same without waiting for it: several that start at the same time. `wait_until_ready` ends it.
  struct Later {};
  RedisServer(RedisOptions options, Later);
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  std::uint16_t port() const { return port_.number(); }
  std::uint16_t bus_port() const { return bus_port_.number(); }  // of a cluster
  std::string address() const;                                   // "127.0.0.1:PORT"
  const std::string& folder() const { return folder_.path(); }   // its data, its log, redis.conf
  std::string socket() const { return folder() + "/redis.sock"; }
  const std::string& password() const { return options_.password; }

  /// Starts it again, on the same port, with what is in its folder; returns once it answers.
  void start();
  void start_only();
  void wait_until_ready(Duration limit = 20s);
  /// In order, as an operator would (SIGTERM); returns when it has ended.
  void stop();
  /// SIGKILL; returns when it has ended.
  void kill();
  /// SIGSTOP: connections stay, nothing answers. `thaw` ends it.
  void freeze();
  void thaw();
  bool running() { return process_ && process_->running(); }
  pid_t pid() const { return process_ ? process_->pid() : 0; }

  /// From the test's thread, through the unix socket, so with TLS as well.
  RedisReply ask(const Words& words) { return client_.ask(words); }
  RedisReply must(const Words& words) { return client_.must(words); }
  bool answers() { return client_.answers(); }
  /// For another thread.
  RedisClient client() const { return RedisClient(socket(), options_.password); }
  /// A line of INFO: info("run_id").
  std::string info(std::string_view name);
  /// What it has said, for messages of tests that failed.
  std::string log() const;

  /// Another redis.conf directive for the next `start`.
  void add_directive(std::string line);

 private:
  void write_configuration() const;

  RedisOptions options_;
  store::TemporaryDirectory folder_;
  ReservedPort port_;
  ReservedPort bus_port_;
  RedisClient client_;
  std::unique_ptr<lab::Program> process_;
};

/// 40 hexadecimal digits, as nodes of a cluster and sentinels are called. Each test has its own, or servers
/// of two tests would take each other for friends when one gets a port that the other had.
std::string random_id();

/// What `holds` says; false while a server that it asks does not answer.
template <class F>
bool if_all_answer(F holds) {
  try {
    return holds();
  } catch (const NoReply&) {
    return false;
  }
}

}  // namespace stateway::stores
