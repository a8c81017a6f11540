// Makes the store what this gateway has acknowledged: after an outage, and when it came back older.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "io/task_group.h"
#include "store/outage/local.h"

namespace stateway::store::outage {

/// How often it looks, and for how long it keeps things.
struct Pace {
  Duration look = 200ms;          // for servers that are back, other servers, pending commits
  WallMillis kept = 60'000;       // what a server acknowledged; longer while it is away
  std::size_t at_once_most = 32;  // sessions brought back, or checked, beside each other
};

/// Thread-safe but for `run`. Must outlive its tasks.
class Reconciler {
 public:
  Reconciler(Local& local, const Pace& pace) : local_(local), pace_(pace) {}

  /// Applies again what the store acknowledged of that session, and lacks. Errors: the store's.
  io::Task<Result<void>> recover(io::Loop& loop, std::string tag);
  /// Brings what is pending of that session into the store, unless somebody else does: then waits for that.
  /// Errors: the store's.
  io::Task<Result<void>> settle(io::Loop& loop, std::string tag);
  /// Probes, checks and settles from then on, until it is destroyed. The loop's thread, once.
  void run(io::Loop& home);
  void stop() { tasks_.cancel_all(); }

 private:
  io::Task<void> look();
  void look_once();
  void begin_checks(std::uint64_t epoch);
  io::Task<void> probe(Breakers::Probe probe);
  io::Task<void> settle_all();
  io::Task<void> check_all();
  io::Task<Result<JournalEntry>> read(io::Loop& loop, Journal::At at);
  io::Task<Result<Fate>> apply_again(io::Loop& loop, const std::string& tag, const std::vector<Item>& items);
  io::Task<Result<void>> settle_claimed(io::Loop& loop, std::string tag);
  void settled(const std::string& tag, const JournalEntry& entry, const Replayed& replayed,
               std::uint64_t epoch);
  void drop_unreadable(const std::string& tag, const Item& item, const Error& error);
  bool may_settle(const std::string& tag) const;

  Local& local_;
  const Pace pace_;
  io::Loop* home_ = nullptr;
  // The home loop's.
  std::deque<std::string> to_check_;
  std::optional<std::uint64_t> checking_;  // epoch
  std::size_t checks_ = 0;                 // running
  bool checks_failed_ = false;
  bool back_ = false;                 // a server is, whose sessions were left out of the check
  std::size_t settlers_ = 0;          // running
  bool refused_ = false;              // it said so of a commit, and that was logged
  std::vector<std::size_t> probing_;  // partitions
  io::TaskGroup tasks_;               // last: ends before what it uses
};

}  // namespace stateway::store::outage
