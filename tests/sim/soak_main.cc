// sim_soak --seeds N --first S --jobs J [--bug NAME] [--stop N] [--tell] [--tally]: runs seeds side by side,
// prints those that find something.
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "base/log.h"
#include "world.h"

namespace {

using namespace stateway;

struct Options {
  std::uint64_t first = 0;
  std::uint64_t seeds = 100;
  unsigned jobs = 1;
  sim::Bug bug = sim::Bug::none;
  std::uint64_t failures_max = 10;
  bool tell = false;
  bool tally = false;
};

// Shared by the processes. Each works on the next seed that nobody has taken.
struct Progress {
  std::atomic<std::uint64_t> next{0};
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> exchanges{0};
  std::atomic<std::uint64_t> acknowledged{0};
  std::atomic<std::uint64_t> failures{0};
  std::atomic<std::uint64_t> working_on[256];
};

void report(std::uint64_t seed, const sim::Outcome& outcome, const Options& options) {
  std::string text = outcome.plan + "\n";
  for (const std::string& violation : outcome.violations) text += "  VIOLATION " + violation + "\n";
  text +=
      fmt::format("  again: sim_soak --first {} --seeds 1{}\n", seed,
                  options.bug == sim::Bug::none ? "" : fmt::format(" --bug {}", sim::bug_name(options.bug)));
  fmt::print("{}", text);
  std::fflush(stdout);
}

using Tally = std::map<std::string, std::uint64_t>;

void work(Progress& progress, unsigned job, const Options& options, Tally& tally) {
  while (progress.failures < options.failures_max) {
    const std::uint64_t n = progress.next.fetch_add(1);
    if (n >= options.seeds) return;
    const std::uint64_t seed = options.first + n;
    progress.working_on[job] = seed;
    const sim::Outcome outcome = sim::run_seed(seed, options.bug, options.tell);
    progress.exchanges += outcome.exchanges;
    progress.acknowledged += outcome.acknowledged;
    ++progress.done;
    for (const auto& [what, times] : outcome.tally) tally[what] += times;
    if (outcome.violations.empty()) continue;
    ++progress.failures;
    report(seed, outcome, options);
  }
}

// Redraws one line until every process has ended. True: none of them died.
bool watch(std::vector<pid_t>& processes, Progress& progress, const Options& options) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const auto began = std::chrono::steady_clock::now();
  bool fine = true;
  std::size_t running = processes.size();
  while (running > 0) {
    for (std::size_t job = 0; job < processes.size(); ++job) {
      int status = 0;
      if (processes[job] == 0 || waitpid(processes[job], &status, WNOHANG) != processes[job]) continue;
      processes[job] = 0;
      --running;
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
      fine = false;
      fmt::print("seed {}: the process died\n  again: sim_soak --first {} --seeds 1\n",
                 progress.working_on[job].load(), progress.working_on[job].load());
    }
    if (terminal) {
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
      fmt::print(stderr, "\r{} of {} seeds, {} exchanges, {} failures, {:.0f} seeds/s ", progress.done.load(),
                 options.seeds, progress.exchanges.load(), progress.failures.load(),
                 static_cast<double>(progress.done.load()) / took.count());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(running > 0 ? 100 : 0));
  }
  if (terminal) fmt::print(stderr, "\n");
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  fmt::print("{} seeds from {}, {} exchanges of which {} were acknowledged, {} failures, {:.1f} s\n",
             progress.done.load(), options.first, progress.exchanges.load(), progress.acknowledged.load(),
             progress.failures.load(), took.count());
  return fine && progress.failures == 0;
}

// In this process, for a debugger, and for those who ask what the faults did.
int run_here(const Options& options) {
  auto progress = std::make_unique<Progress>();
  Tally tally;
  log::start(log::Format::text, log::Level::error);
  work(*progress, 0, options, tally);
  log::flush();
  for (const auto& [what, times] : tally) fmt::print("{:>12} {}\n", times, what);
  return progress->failures == 0 ? 0 : 1;
}

int run(const Options& options) {
  void* shared = mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 1;
  auto& progress = *new (shared) Progress;
  std::vector<pid_t> processes;
  for (unsigned job = 0; job < options.jobs; ++job) {
    const pid_t child = fork();
    if (child == 0) {
      log::start(log::Format::text, log::Level::error);  // faults are no news here
      Tally tally;
      work(progress, job, options, tally);
      log::flush();
      _exit(0);
    }
    if (child > 0) processes.push_back(child);
  }
  return watch(processes, progress, options) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::string bug = "none";
  CLI::App app("Runs the gateway in simulated worlds, one per seed, and checks what must hold.");
  app.add_option("--first", options.first, "the first seed");
  app.add_option("--seeds", options.seeds, "how many");
  app.add_option("--jobs", options.jobs, "processes side by side")->check(CLI::Range(1, 256));
  app.add_option("--stop", options.failures_max, "give up after so many failures");
  app.add_flag("--tell", options.tell, "print what happens; one job, in this process");
  app.add_flag("--tally", options.tally, "count what happened; one job, in this process");
  app.add_option("--bug", bug, "plant a mistake, which should be found");
  CLI11_PARSE(app, argc, argv);
  for (const sim::Bug b : sim::kBugs)
    if (bug == sim::bug_name(b)) options.bug = b;
  if (bug != sim::bug_name(options.bug)) {
    fmt::print(stderr, "sim_soak: there is no bug {}\n", bug);
    return 2;
  }
  return options.tell || options.tally ? run_here(options) : run(options);
}
