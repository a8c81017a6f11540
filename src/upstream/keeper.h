// Keeps one process of a service running.
#pragma once

#include <memory>
#include <string>

#include "io/cancellable.h"
#include "io/process.h"
#include "io/task_group.h"
#include "io/wait_queue.h"
#include "upstream/instance.h"
#include "upstream/output_lines.h"
#include "upstream/supervisor.h"

namespace stateway::upstream {

/// What a process is made from: it takes a restart to change it.
struct Program {
  std::vector<std::string> command;
  bool socket = false;
  std::optional<Secret> token;
  bool operator==(const Program&) const = default;
};
Program program_of(const ServiceOptions& options);

/// Belongs to the home loop. Destroying it kills the process.
class Keeper {
 public:
  /// Starts at once. The references, and `guardian` unless it is nullptr, must outlive the keeper.
  Keeper(const Service& service, std::shared_ptr<Instance> instance, Program program, io::EpollLoop& loop,
         const io::Guardian* guardian, const SupervisorOptions& options);
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  const std::shared_ptr<Instance>& instance() const { return instance_; }
  /// Of the next start.
  const Program& program() const { return program_; }
  /// Of the process that runs, or that was last tried to be started.
  const Program& launched() const { return launched_; }
  /// Lets the process drain (at most the service's options.drain), ends it, and starts it again as `program`.
  /// Nothing happens when it is to end for good.
  void restart(Program program);
  /// Lets the process drain, ends it, and starts no other …
  void retire();
  /// … but after all: goes on, or starts again if the process is being ended already or was to be restarted.
  void keep();
  /// Ends the process by `deadline` and starts no other.
  void stop(TimePoint deadline);
  /// Nothing runs and nothing will: retired or stopped.
  bool done() const { return life_.running() == 0; }
  /// Completes when nothing runs any more, after stop.
  auto stopped() { return life_.drained(); }

 private:
  enum class Wish : unsigned char { run, restart, retire, stop };

  io::Task<void> live();
  Result<std::unique_ptr<io::Process>> launch();
  io::Task<void> attend(io::Process& process);
  io::Task<std::optional<io::Exit>> see_off(io::Process& process);
  io::Task<std::optional<io::Exit>> drain(io::Process& process, bool for_bound_clients, TimePoint by);
  io::Task<io::Exit> end(io::Process& process);
  void wish(Wish wish);
  io::Task<void> read_output(io::Stream& output);
  void read_rest(io::Stream& output);
  void note_death(TimePoint started, const std::string& how);
  Duration pause() const;

  const Service& service_;
  const WallClock& clock_;
  const std::shared_ptr<Instance> instance_;
  io::EpollLoop& loop_;
  const io::Guardian* guardian_;
  const SupervisorOptions& options_;
  Program program_;
  Program launched_;
  bool ending_ = false;  // the process gets no requests any more
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
