#include "upstream/keeper.h"

#include <signal.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/log.h"
#include "io/sockets.h"

namespace stateway::upstream {
namespace {

// So many early deaths in a row, and nobody should wait for the next start any more.
constexpr unsigned kFailingAfter = 5;
// How soon a changed wish, or the last request's end, is noticed while a process is being ended.
constexpr Duration kEndingTick = 20ms;
constexpr std::size_t kOutputRestMax = 1024 * 1024;

std::string describe(const io::Exit& exit) {
  if (exit.signal != 0) {
    const char* name = sigabbrev_np(exit.signal);
    return "killed by signal " + std::to_string(exit.signal) +
           (name != nullptr ? std::string(" (SIG") + name + ")" : "");
  }
  return "exited with status " + std::to_string(exit.status);
}

// Bound and closed again: free for the process, unless another program takes it in between; then the process
// fails to listen, dies, and gets another port with its next start.
Result<Address> free_port() {
  Address any;
  any.host = "127.0.0.1";
  auto socket = io::ListenSocket::open(any);
  if (!socket) return pass_on(std::move(socket));
  return socket->address();
}

}  // namespace

Keeper::Keeper(const Service& service, std::shared_ptr<Instance> instance, io::EpollLoop& loop,
               const io::Guardian* guardian, const SupervisorOptions& options)
    : service_(service),
      instance_(std::move(instance)),
      loop_(loop),
      guardian_(guardian),
      options_(options),
      lines_([this](std::string_view line) { options_.output(*instance_, line); }),
      wished_(loop) {
  life_.spawn(live());
}

void Keeper::restart() {
  if (wish_ == Wish::stop) return;
  wish_ = Wish::restart;
  running_.cancel();
  wished_.wake_all();
}

void Keeper::stop(TimePoint deadline) {
  wish_ = Wish::stop;
  stop_deadline_ = deadline;
  running_.cancel();
  wished_.wake_all();
}

io::Task<void> Keeper::live() {
  while (wish_ != Wish::stop) {
    wish_ = Wish::run;
    const TimePoint started = loop_.now();
    auto process = launch();
    if (process) {
      co_await attend(**process);
      process->reset();
    } else {
      note_death(started, process.error().context);
    }
    if (wish_ == Wish::run) (void)co_await wished_.wait(loop_.now() + pause());
  }
  instance_->process_stopped();
  log::info("instance stopped", {{"instance", instance_->name()}});
}

Result<std::unique_ptr<io::Process>> Keeper::launch() {
  Address address;
  io::Command command;
  const std::shared_ptr<const Roster> roster = service_.roster();
  command.words = roster->options.command;
  if (roster->options.socket) {
    address.kind = Address::Kind::unix_socket;
    address.path = options_.folder + "/" + instance_->name() + ".sock";
    std::error_code ignored;
    std::filesystem::remove(address.path, ignored);  // left by a predecessor that was killed
    command.environment.emplace_back("SOCKET", address.path);
  } else {
    auto free = free_port();
    if (!free) return pass_on(std::move(free));
    address = std::move(*free);
    command.environment.emplace_back("PORT", std::to_string(address.port));
  }
  if (const auto& token = roster->options.token)
    command.environment.emplace_back("STATEWAY_TOKEN", token->reveal());

  auto process = io::Process::start(loop_, command, guardian_);
  if (process) {
    instance_->process_started((*process)->pid(), address);
    log::info("instance started",
              {{"instance", instance_->name()}, {"pid", (*process)->pid()}, {"address", to_string(address)}});
  }
  return process;
}

io::Task<void> Keeper::attend(io::Process& process) {
  const TimePoint started = loop_.now();
  reading_.spawn(read_output(process.output()));
  Result<io::Exit> exit = co_await io::cancellable(process.exited(io::kNoDeadline), running_);
  const bool by_itself = exit.has_value();
  if (!by_itself) exit = co_await end(process);
  if (by_itself) {
    note_death(started, describe(*exit));
  } else {
    early_deaths_ = 0;
    instance_->process_ended("ended on purpose");
    log::info("instance ended", {{"instance", instance_->name()}, {"how", describe(*exit)}});
  }
  reading_.cancel_all();
  read_rest(process.output());
}

void Keeper::note_death(TimePoint started, const std::string& how) {
  const bool early = !instance_->was_up() || loop_.now() - started < options_.early;
  early_deaths_ = early ? early_deaths_ + 1 : 0;
  const bool never_ran = instance_->pid() == 0;
  if (never_ran || early_deaths_ >= kFailingAfter)
    instance_->process_failing(how);
  else
    instance_->process_ended(how);
  log::warn(never_ran ? "instance cannot be started" : "instance died",
            {{"instance", instance_->name()},
             {"reason", how},
             {"next_start_ms", std::chrono::duration_cast<std::chrono::milliseconds>(pause()).count()}});
}

// None before the first restart: an instance that was killed should be back at once.
Duration Keeper::pause() const {
  if (early_deaths_ <= 1 && instance_->was_up()) return Duration::zero();
  const unsigned doublings = std::min(std::max(early_deaths_, 1u) - 1, 20u);
  return std::min(options_.restart_first * (1u << doublings), options_.restart_longest);
}

io::Task<io::Exit> Keeper::end(io::Process& process) {
  instance_->process_ending();
  const TimePoint drained_by = loop_.now() + options_.drain;
  while (wish_ == Wish::restart && instance_->active() > 0 && loop_.now() < drained_by) {
    const auto exit = co_await process.exited(loop_.now() + kEndingTick);
    if (exit) co_return *exit;
  }
  process.signal(SIGTERM);
  const TimePoint killed_by = loop_.now() + options_.grace;
  for (;;) {
    const TimePoint limit = wish_ == Wish::stop ? stop_deadline_ : killed_by;
    if (loop_.now() >= limit) break;
    const auto exit = co_await process.exited(std::min(limit, loop_.now() + kEndingTick));
    if (exit) co_return *exit;
  }
  log::warn("instance did not end at SIGTERM", {{"instance", instance_->name()}});
  process.signal(SIGKILL);
  const auto exit = co_await process.exited(io::kNoDeadline);
  co_return *exit;
}

io::Task<void> Keeper::read_output(io::Stream& output) {
  char buffer[4096];
  for (;;) {
    const auto n = co_await output.read_some(buffer, io::kNoDeadline);
    if (!n || *n == 0) co_return;
    lines_.add({buffer, *n});
  }
}

// Without waiting for the end of the stream: a descendant that left the group may hold it for ever.
void Keeper::read_rest(io::Stream& output) {
  char buffer[4096];
  for (std::size_t total = 0; total < kOutputRestMax;) {
    const io::Transfer t = output.try_read(buffer);
    if (t.state != io::Transfer::State::ok) break;
    lines_.add({buffer, t.bytes});
    total += t.bytes;
  }
  lines_.flush();
}

}  // namespace stateway::upstream
