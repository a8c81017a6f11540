#include "upstream/monitor.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "io/task_group.h"
#include "io/wait_queue.h"
#include "upstream/health.h"

namespace stateway::upstream {

/// Watches one instance by the options of one roster.
class Monitor::Check {
 public:
  Check(std::shared_ptr<Instance> instance, const ServiceOptions& options, io::Loop& loop,
        io::Network& network)
      : instance_(std::move(instance)),
        loop_(loop),
        rules_(options),
        probe_(options, loop, network),
        changed_(loop) {
    task_.spawn(watch());
  }

  const std::shared_ptr<Instance>& instance() const { return instance_; }
  void look_again() { changed_.wake_all(); }

 private:
  io::Task<void> watch();

  const std::shared_ptr<Instance> instance_;
  io::Loop& loop_;
  HealthRules rules_;
  HealthProbe probe_;
  io::WaitQueue changed_;
  io::TaskGroup task_;  // last: ends before what it uses
};

Monitor::Monitor(Service& service, io::Loop& loop, io::Network& network, Duration resolve_every)
    : service_(service),
      loop_(loop),
      network_(network),
      resolve_every_(resolve_every),
      drains_(loop),
      names_(loop),
      subscription_(service.changes(), loop, *this) {
  take_roster();
  time_drains();
  tasks_.spawn(take_out_drained());
  tasks_.spawn(look_up_names());
}

Monitor::~Monitor() = default;

// An instance is watched on while its service's way of checking stays the same.
void Monitor::take_roster() {
  const std::shared_ptr<const Roster> old = std::exchange(roster_, service_.roster());
  if (old == roster_) return;
  const bool same = old != nullptr && checked_alike(old->options, roster_->options);
  std::vector<std::unique_ptr<Check>> checks;
  for (const auto& instance : roster_->instances) {
    const auto known =
        std::ranges::find_if(checks_, [&](const auto& c) { return c && c->instance() == instance; });
    if (known != checks_.end() && same)
      checks.push_back(std::move(*known));
    else
      checks.push_back(std::make_unique<Check>(instance, roster_->options, loop_, network_));
  }
  checks_ = std::move(checks);
  if (old != nullptr && old->options.instances != roster_->options.instances) names_.wake_all();
}

void Monitor::on_change() {
  take_roster();
  time_drains();
  for (const auto& check : checks_) check->look_again();
  drains_.wake_all();
}

void Monitor::time_drains() {
  for (const auto& instance : roster_->instances)
    if (instance->draining() && instance->drain_deadline() == TimePoint::max())
      instance->set_drain_deadline(loop_.now() + roster_->options.drain);
}

// Of supervised instances the Supervisor knows when they are gone.
io::Task<void> Monitor::take_out_drained() {
  for (;;) {
    bool waiting = false;
    const std::shared_ptr<const Roster> roster = roster_;
    for (const auto& instance : roster->instances) {
      if (instance->supervised() || !instance->drains_for(Drain::removed)) continue;
      if (instance->idle() || loop_.now() >= instance->drain_deadline())
        service_.remove(*instance);
      else
        waiting = true;
    }
    (void)co_await drains_.wait(waiting ? loop_.now() + kDrainTick : io::kNoDeadline);
  }
}

// Until a name has been found, and while it cannot be, what is known of it stays.
io::Task<void> Monitor::look_up_names() {
  constexpr Duration kPatience = 10s;
  std::set<std::string> lost;
  for (;;) {
    const std::shared_ptr<const Roster> roster = roster_;
    bool any = false;
    for (const Address& name : roster->options.instances) {
      if (!is_looked_up(name)) continue;
      any = true;
      auto found = co_await network_.resolve(name, loop_.now() + kPatience);
      const std::string text = to_string(name);
      if (found) {
        lost.erase(text);
        if (roster_->options.instances == roster->options.instances)
          service_.set_addresses(name, std::move(*found));
      } else if (lost.insert(text).second) {
        log::warn("a name of instances cannot be looked up",
                  {{"service", service_.name()}, {"name", text}, {"reason", found.error().context}});
      }
    }
    if (roster_->options.instances != roster->options.instances) continue;
    (void)co_await names_.wait(any ? loop_.now() + resolve_every_ : io::kNoDeadline);
  }
}

io::Task<void> Monitor::Check::watch() {
  for (;;) {
    const Instance::Status status = instance_->status();
    const TimePoint due = rules_.due(status, instance_->pid() != 0, loop_.now());
    if (due > loop_.now()) {
      (void)co_await changed_.wait(due);
      continue;
    }
    const Result<void> result = co_await probe_.run(instance_->endpoint());
    switch (rules_.judge(status, result.has_value(), loop_.now())) {
      case HealthRules::Verdict::none:
        break;
      case HealthRules::Verdict::up:
        if (instance_->mark_up(status)) log::info("instance is up", {{"instance", instance_->name()}});
        break;
      case HealthRules::Verdict::down:
        if (instance_->mark_down(status, result.error().context))
          log::warn("instance is down",
                    {{"instance", instance_->name()}, {"reason", result.error().context}});
        break;
    }
  }
}

}  // namespace stateway::upstream
