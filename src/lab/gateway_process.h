// The real gateway as a process under test: started, asked whether it is ready, killed, started again.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/network.h"
#include "lab/program.h"

namespace stateway::lab {

/// Not thread-safe. Destroying it kills the gateway and waits until nothing it started is left.
class GatewayProcess {
 public:
  struct Setup {
    std::string binary;
    std::string config_file;
    std::string log_file;  // what the gateway and its instances write
    std::vector<std::pair<std::string, std::string>> environment;
  };

  explicit GatewayProcess(Setup setup);
  ~GatewayProcess();

  /// Starts `stateway run`; again after kill or stop. Does not wait for anything. Errors: as Program's.
  Result<void> start();

  /// Whether it has said where it listens; then clients() and admin() are those addresses. With several
  /// [[listen]] sections clients() is the first.
  bool listening();
  const Address& clients() const { return clients_; }
  const Address& admin() const { return admin_; }

  /// Polls until GET /readyz answers 200. Errors: timeout, or closed when the gateway has ended meanwhile.
  io::Task<Result<void>> ready(io::Loop& loop, io::Network& network, TimePoint deadline);

  pid_t pid() const { return program_ == nullptr ? 0 : program_->pid(); }
  bool running() const { return program_ != nullptr && program_->running(); }
  /// SIGKILL; reaped when it returns.
  void kill();
  /// SIGTERM, then waits for the end. Code::timeout after `limit`; then it still runs.
  Result<io::Exit> stop(Duration limit);
  void signal(int number) const { program_->signal(number); }
  /// Waits for its end. Code::timeout after `limit`.
  Result<io::Exit> wait(Duration limit) { return program_->wait(limit); }

  /// Processes of this gateway that run now: itself, its guardian, its instances.
  std::vector<pid_t> processes() const { return processes_with(mark_); }
  /// All that was written to the log file since construction.
  std::string log() const { return read_file(setup_.log_file); }

 private:
  Setup setup_;
  std::string mark_;  // an entry of the environment that no other process has
  std::unique_ptr<Program> program_;
  std::size_t log_octets_before_ = 0;
  Address clients_, admin_;
};

}  // namespace stateway::lab
