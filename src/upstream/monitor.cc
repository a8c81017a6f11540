#include "upstream/monitor.h"

#include "base/log.h"

namespace stateway::upstream {

struct Monitor::Check {
  Check(std::shared_ptr<Instance> i, const ServiceOptions& options, io::Loop& loop)
      : instance(std::move(i)), rules(options), changed(loop) {}
  std::shared_ptr<Instance> instance;
  HealthRules rules;
  io::WaitQueue changed;
};

Monitor::Monitor(Service& service, io::Loop& loop, io::Network& network)
    : loop_(loop), probe_(service.options(), loop, network), subscription_(service.changes(), loop, *this) {
  for (const auto& instance : service.instances()) {
    checks_.push_back(std::make_unique<Check>(instance, service.options(), loop));
    tasks_.spawn(watch(*checks_.back()));
  }
}

Monitor::~Monitor() = default;

void Monitor::on_change() {
  for (const auto& check : checks_) check->changed.wake_all();
}

io::Task<void> Monitor::watch(Check& check) {
  Instance& instance = *check.instance;
  for (;;) {
    const Instance::Status status = instance.status();
    const TimePoint due = check.rules.due(status, instance.pid() != 0, loop_.now());
    if (due > loop_.now()) {
      (void)co_await check.changed.wait(due);
      continue;
    }
    const Result<void> result = co_await probe_.run(instance.address());
    switch (check.rules.judge(status, result.has_value(), loop_.now())) {
      case HealthRules::Verdict::none:
        break;
      case HealthRules::Verdict::up:
        if (instance.mark_up(status)) log::info("instance is up", {{"instance", instance.name()}});
        break;
      case HealthRules::Verdict::down:
        if (instance.mark_down(status, result.error().context))
          log::warn("instance is down", {{"instance", instance.name()}, {"reason", result.error().context}});
        break;
    }
  }
}

}  // namespace stateway::upstream
