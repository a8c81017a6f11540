// Waiting until commits are where they were asked to be: on disk, on replicas. Redis waits for everything
// that a server did before a write of the same connection, so one such write, and one wait, are for all the
// commits before.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "io/task_group.h"
#include "io/wait_queue.h"
#include "store/redis/router.h"

namespace stateway::store::redis {

/// What every commit must have before it is acknowledged.
struct Confirmed {
  bool on_disk = false;        // WAITAOF (7.2)
  std::uint32_t replicas = 0;  // WAIT

  bool anything() const { return on_disk || replicas > 0; }
};

/// Of one loop. Not thread-safe.
class Confirmations {
 public:
  /// All must outlive it.
  Confirmations(io::Loop& loop, Router& router) : loop_(loop), router_(router) {}
  Confirmations(const Confirmations&) = delete;
  Confirmations& operator=(const Confirmations&) = delete;

  /// After a commit on `key`, one of Redis, that `server` (Answer) of `partition` answered. The commits there
  /// that wait at the same time share a round, which has the time of the most patient of them. Errors:
  /// not_durable, with the reason: the commit is applied there, and may be lost; Retry::always: another
  /// server has the key now.
  io::Task<Result<void>> wait(std::size_t partition, std::string key, std::uint64_t server, Confirmed asked,
                              TimePoint deadline);

 private:
  struct Round {
    Round(io::Loop& loop, std::string k) : key(std::move(k)), ended(loop) {}
    std::string key;
    TimePoint deadline{};  // the latest of those who wait for it
    io::WaitQueue ended;
    Result<Answer> answer;
  };
  struct Line {
    std::shared_ptr<Round> next;  // who comes now waits for this one: it begins after his commit
    bool running = false;
  };
  using Place = std::pair<std::size_t, std::uint64_t>;  // a partition, and who answered there
  io::Task<void> run(Place place, Confirmed asked);

  io::Loop& loop_;
  Router& router_;
  std::map<Place, Line> lines_;  // where somebody waits
  io::TaskGroup rounds_;         // goes first
};

}  // namespace stateway::store::redis
