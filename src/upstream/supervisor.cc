#include "upstream/supervisor.h"

#include <algorithm>

#include "base/log.h"
#include "upstream/keeper.h"

namespace stateway::upstream {

Supervisor::Supervisor(Service& service, io::EpollLoop& loop, const io::Guardian* guardian,
                       SupervisorOptions options)
    : service_(service),
      loop_(loop),
      guardian_(guardian),
      options_(std::move(options)),
      changed_(loop),
      subscription_(service.changes(), loop, *this) {}
Supervisor::~Supervisor() = default;

Result<std::unique_ptr<Supervisor>> Supervisor::start(Service& service, io::EpollLoop& loop,
                                                      const io::Guardian* guardian,
                                                      SupervisorOptions options) {
  const std::shared_ptr<const Roster> roster = service.roster();
  if (roster->options.socket) {
    for (const auto& instance : roster->instances) {
      const std::string path = options.folder + "/" + instance->name() + ".sock";
      if (path.size() > kUnixPathMax)
        return fail(Code::invalid_argument, Side::self,
                    "the path of a unix socket may have at most 107 characters: " + path);
    }
  }
  if (!options.output) {
    options.output = [](const Instance& instance, std::string_view line) {
      log::info("instance output", {{"instance", instance.name()}, {"line", line}});
    };
  }
  std::unique_ptr<Supervisor> out(new Supervisor(service, loop, guardian, std::move(options)));
  out->apply();
  return out;
}

Keeper* Supervisor::keeper_of(const Instance& instance) const {
  const auto found =
      std::ranges::find_if(keepers_, [&](const auto& k) { return k->instance().get() == &instance; });
  return found == keepers_.end() ? nullptr : found->get();
}

void Supervisor::keep(const std::shared_ptr<Instance>& instance, const Program& program) {
  if (Keeper* known = keeper_of(*instance); known != nullptr && !known->done()) return known->keep();
  std::erase_if(keepers_, [&](const auto& k) { return k->instance() == instance; });
  keepers_.push_back(std::make_unique<Keeper>(service_, instance, program, loop_, guardian_, options_));
}

void Supervisor::apply() {
  if (stopping_) return;
  const std::shared_ptr<const Roster> roster = service_.roster();
  const Program wanted = program_of(roster->options);
  for (const auto& instance : roster->instances) {
    if (!instance->drains_for(Drain::removed))
      keep(instance, wanted);
    else if (Keeper* keeper = keeper_of(*instance))
      keeper->retire();
    else
      service_.remove(*instance);
  }
  if (rolling_.running() == 0 && next_to_roll(wanted) != nullptr) rolling_.spawn(roll());
}

void Supervisor::on_change() {
  if (stopping_) return;
  for (std::size_t i = 0; i < keepers_.size();) {
    const std::shared_ptr<Instance> instance = keepers_[i]->instance();
    if (keepers_[i]->done() && instance->drains_for(Drain::removed)) {
      keepers_.erase(keepers_.begin() + static_cast<std::ptrdiff_t>(i));
      service_.remove(*instance);
    } else {
      ++i;
    }
  }
  changed_.wake_all();
}

// What is down anyway has nothing to lose.
Keeper* Supervisor::next_to_roll(const Program& wanted) const {
  Keeper* next = nullptr;
  for (const auto& keeper : keepers_) {
    const Instance& instance = *keeper->instance();
    if (instance.drains_for(Drain::removed) || keeper->program() == wanted) continue;
    if (instance.status().state != State::up) return keeper.get();
    if (next == nullptr) next = keeper.get();
  }
  return next;
}

io::Task<void> Supervisor::roll() {
  for (;;) {
    const Program wanted = program_of(service_.roster()->options);
    Keeper* next = next_to_roll(wanted);
    if (next == nullptr) break;
    const std::shared_ptr<Instance> instance = next->instance();
    const Program before = next->program();
    const bool was_up = instance->was_up();
    service_.set_rollout("restarting " + instance->name());
    log::info("restarting an instance, because the program has changed", {{"instance", instance->name()}});
    next->restart(wanted);
    const bool up = co_await comes_up(instance);
    if (up || program_of(service_.roster()->options) != wanted) continue;  // or changed again meanwhile

    const std::string why = instance->snapshot().last_error;
    service_.set_rollout("stopped: " + instance->name() + " does not come up: " + why);
    log::error("the changed program does not come up: the other instances keep the one they run",
               {{"instance", instance->name()}, {"reason", why}});
    Keeper* keeper = keeper_of(*instance);
    if (keeper != nullptr && was_up) keeper->restart(before);
    co_return;
  }
  service_.set_rollout("");
  log::info("all instances run the changed program", {{"service", service_.name()}});
}

// False when the new process is down; true also when it is not ours to wait for any more.
io::Task<bool> Supervisor::comes_up(std::shared_ptr<Instance> instance) {
  std::optional<TimePoint> up_since;
  for (;;) {
    const Keeper* keeper = keeper_of(*instance);
    if (keeper == nullptr || instance->drains_for(Drain::removed)) co_return true;
    const State state = instance->status().state;
    const bool launched = keeper->launched() == keeper->program();
    if (launched && state == State::down) co_return false;
    if (!launched || state != State::up)
      up_since.reset();
    else if (!up_since)
      up_since = loop_.now();
    else if (loop_.now() - *up_since >= options_.early)
      co_return true;
    (void)co_await changed_.wait(up_since ? *up_since + options_.early : io::kNoDeadline);
  }
}

Result<void> Supervisor::restart(std::string_view instance) {
  for (const auto& keeper : keepers_) {
    if (keeper->instance()->name() != instance || keeper->instance()->drains_for(Drain::removed)) continue;
    keeper->restart(program_of(service_.roster()->options));
    return {};
  }
  return fail(Code::not_found, Side::self, "the service has no instance '" + std::string(instance) + "'");
}

io::Task<void> Supervisor::stop(TimePoint deadline) {
  stopping_ = true;
  rolling_.cancel_all();
  for (const auto& keeper : keepers_) keeper->stop(deadline);
  for (const auto& keeper : keepers_) co_await keeper->stopped();
}

}  // namespace stateway::upstream
