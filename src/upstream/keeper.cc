#include "upstream/keeper.h"

#include <signal.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/log.h"
#include "io/sockets.h"

namespace stateway::upstream {
namespace {

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

Program program_of(const ServiceOptions& options) {
  return {.command = options.command, .socket = options.socket, .token = options.token};
}

Keeper::Keeper(const Service& service, std::shared_ptr<Instance> instance, Program program,
               io::EpollLoop& loop, const io::Guardian* guardian, const SupervisorOptions& options)
    : service_(service),
      clock_(service.clock()),
      instance_(std::move(instance)),
      loop_(loop),
      guardian_(guardian),
      options_(options),
      program_(std::move(program)),
      lines_([this](std::string_view line) { options_.output(*instance_, line); }),
      wished_(loop) {
  life_.spawn(live());
}

void Keeper::wish(Wish wish) {
  wish_ = wish;
  running_.cancel();
  wished_.wake_all();
}

void Keeper::restart(Program program) {
  if (wish_ == Wish::stop || wish_ == Wish::retire) return;
  program_ = std::move(program);
  early_deaths_ = 0;
  instance_->drain(Drain::restart);
  wish(Wish::restart);
}

void Keeper::retire() {
  if (wish_ != Wish::stop && wish_ != Wish::retire) wish(Wish::retire);
}

void Keeper::keep() {
  // A restart that was under way is owed still: nothing else would end its drain.
  if (wish_ == Wish::retire)
    wish_ = ending_ || instance_->drains_for(Drain::restart) ? Wish::restart : Wish::run;
}

void Keeper::stop(TimePoint deadline) {
  stop_deadline_ = deadline;
  wish(Wish::stop);
}

io::Task<void> Keeper::live() {
  while (wish_ == Wish::run || wish_ == Wish::restart) {
    wish_ = Wish::run;
    instance_->undrain(Drain::restart);
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
  launched_ = program_;
  Address address;
  io::Command command;
  command.words = program_.command;
  if (program_.socket) {
    address.kind = Address::Kind::unix_socket;
    address.path = options_.folder + "/" + instance_->name() + ".sock";
    if (address.path.size() > kUnixPathMax)
      return fail(Code::invalid_argument, Side::self,
                  "the path of a unix socket may have at most 107 characters: " + address.path);
    std::error_code ignored;
    std::filesystem::remove(address.path, ignored);  // left by a predecessor that was killed
    command.environment.emplace_back("SOCKET", address.path);
  } else {
    auto free = free_port();
    if (!free) return pass_on(std::move(free));
    address = std::move(*free);
    command.environment.emplace_back("PORT", std::to_string(address.port));
  }
  Endpoint endpoint{.address = std::move(address), .token = nullptr};
  if (program_.token) {
    command.environment.emplace_back("STATEWAY_TOKEN", program_.token->reveal());
    endpoint.token = std::make_shared<const Secret>(*program_.token);
  }

  auto process = io::Process::start(loop_, command, guardian_);
  if (process) {
    instance_->process_started((*process)->pid(), endpoint, options_.random->u64() | 1);
    log::info("instance started", {{"instance", instance_->name()},
                                   {"pid", (*process)->pid()},
                                   {"address", to_string(endpoint.address)}});
  }
  return process;
}

io::Task<void> Keeper::attend(io::Process& process) {
  const TimePoint started = loop_.now();
  reading_.spawn(read_output(process.output()));
  bool by_itself = false;
  std::optional<io::Exit> exit;
  while (!exit) {
    if (wish_ == Wish::run) {
      const auto ended = co_await io::cancellable(process.exited(io::kNoDeadline), running_);
      by_itself = ended.has_value();
      if (by_itself) exit = *ended;
    } else {
      exit = co_await see_off(process);
    }
  }
  ending_ = false;
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
  if (never_ran || early_deaths_ >= service_.roster()->options.crash_limit)
    instance_->process_failing(how);
  else
    instance_->process_ended(how);
  const auto next_start = std::chrono::duration_cast<std::chrono::milliseconds>(pause());
  if (next_start.count() > 0) instance_->set_next_start(clock_.now() + next_start.count());
  log::warn(never_ran ? "instance cannot be started" : "instance died",
            {{"instance", instance_->name()}, {"reason", how}, {"next_start_ms", next_start.count()}});
}

// None before the first restart: an instance that was killed should be back at once.
Duration Keeper::pause() const {
  if (early_deaths_ <= 1 && instance_->was_up()) return Duration::zero();
  const unsigned doublings = std::min(std::max(early_deaths_, 1u) - 1, 20u);
  return std::min(options_.restart_first * (1u << doublings), options_.restart_longest);
}

// Drains and ends the process. nullopt: it is to go on after all.
io::Task<std::optional<io::Exit>> Keeper::see_off(io::Process& process) {
  const TimePoint by = loop_.now() + service_.roster()->options.drain;
  instance_->set_drain_deadline(std::min(by, instance_->drain_deadline()));
  if (auto exit = co_await drain(process, true, by)) co_return exit;
  if (wish_ == Wish::run) co_return std::nullopt;
  ending_ = true;
  instance_->process_ending();
  // A bound client's request may just have come in.
  if (auto exit = co_await drain(process, false, by)) co_return exit;
  co_return co_await end(process);
}

// Until nobody needs the process, the wish has changed, or `by`. An exit: it ended by itself.
io::Task<std::optional<io::Exit>> Keeper::drain(io::Process& process, bool for_bound_clients, TimePoint by) {
  while (wish_ == Wish::restart || wish_ == Wish::retire) {
    if (loop_.now() >= by || (for_bound_clients ? instance_->idle() : instance_->active() == 0)) break;
    const auto exit = co_await process.exited(std::min(by, loop_.now() + kDrainTick));
    if (exit) co_return *exit;
  }
  co_return std::nullopt;
}

io::Task<io::Exit> Keeper::end(io::Process& process) {
  process.signal(SIGTERM);
  const TimePoint killed_by = loop_.now() + options_.grace;
  for (;;) {
    const TimePoint limit = wish_ == Wish::stop ? stop_deadline_ : killed_by;
    if (loop_.now() >= limit) break;
    const auto exit = co_await process.exited(std::min(limit, loop_.now() + kDrainTick));
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
