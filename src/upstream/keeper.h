// Keeps one process of a service running.
#pragma once

#include <memory>
#include <string>

#include "io/cancellable.h"
#include "io/process.h"
#include "io/task_group.h"
#include "io/wait_queue.h"
#include "upstream/output_lines.h"
#include "upstream/supervisor.h"

namespace stateway::upstream {

/// Belongs to the home loop. Destroying it kills the process.
class Keeper {
 public:
  /// Starts at once. The references, and `guardian` unless it is nullptr, must outlive the keeper.
  Keeper(const Service& service, std::shared_ptr<Instance> instance, io::EpollLoop& loop,
         const io::Guardian* guardian, const SupervisorOptions& options);
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  const Instance& instance() const { return *instance_; }
  /// Lets the requests of the process end (at most options.drain), ends it, starts it again.
  void restart();
  /// Ends the process by `deadline` and starts no other.
  void stop(TimePoint deadline);
  /// Completes when nothing runs any more, after stop.
  auto stopped() { return life_.drained(); }

 private:
  enum class Wish : unsigned char { run, restart, stop };

  io::Task<void> live();
  Result<std::unique_ptr<io::Process>> launch();
  io::Task<void> attend(io::Process& process);
  io::Task<io::Exit> end(io::Process& process);
  io::Task<void> read_output(io::Stream& output);
  void read_rest(io::Stream& output);
  void note_death(TimePoint started, const std::string& how);
  Duration pause() const;

  const Service& service_;
  const std::shared_ptr<Instance> instance_;
  io::EpollLoop& loop_;
  const io::Guardian* guardian_;
  const SupervisorOptions& options_;
  Wish wish_ = Wish::run;
  TimePoint stop_deadline_ = io::kNoDeadline;
  unsigned early_deaths_ = 0;  // in a row
  OutputLines lines_;
  io::WaitQueue wished_;     // the pause before a start
  io::CancelScope running_;  // the wait for the process's end
  io::TaskGroup life_;
  io::TaskGroup reading_;  // destroyed before `life_`, whose frame owns the stream
};

}  // namespace stateway::upstream
