#include "stateway/services.h"

#include <algorithm>
#include <filesystem>

#include "base/log.h"

namespace stateway {
namespace {

constexpr Duration kInstanceGrace = 5s;  // from SIGTERM to SIGKILL for what has left, or the gateway stops
constexpr Duration kLeavingTick = 50ms;

}  // namespace

Result<Services::Running> Services::start(const upstream::ServiceOptions& options) {
  Running out;
  out.service = std::make_shared<upstream::Service>(options, ground_.clock);
  out.monitor = std::make_unique<upstream::Monitor>(*out.service, ground_.home, ground_.network);
  if (options.command.empty()) return out;
  // A folder of its own: another service of this name may still be leaving, with sockets of the same names.
  out.folder = ground_.folder + "/" + std::to_string(++starts_);
  std::error_code failed;
  if (!std::filesystem::create_directory(out.folder, failed) && failed)
    return fail(Code::io, Side::self, "cannot make the folder " + out.folder + ": " + failed.message());
  upstream::SupervisorOptions how;
  how.folder = out.folder;
  auto supervisor =
      upstream::Supervisor::start(*out.service, ground_.home, &ground_.guardian, std::move(how));
  if (!supervisor) return pass_on(std::move(supervisor));
  out.supervisor = std::move(*supervisor);
  return out;
}

void Services::replace(const std::vector<upstream::ServiceOptions>& next,
                       const std::vector<ReloadPlan::Fate>& fates, std::vector<Running> started,
                       Duration drain) {
  std::vector<Running> before = std::exchange(running_, {});
  const auto take = [](std::vector<Running>& from, const std::string& name) {
    const auto found =
        std::ranges::find_if(from, [&](const Running& r) { return r.service->name() == name; });
    CHECK(found != from.end());
    Running out = std::move(*found);
    from.erase(found);
    return out;
  };
  for (std::size_t i = 0; i < next.size(); ++i) {
    const bool is_new = fates[i] == ReloadPlan::Fate::started;
    running_.push_back(take(is_new ? started : before, next[i].name));
    if (fates[i] == ReloadPlan::Fate::changed) running_.back().service->reconfigure(next[i]);
    if (running_.back().supervisor)
      running_.back().supervisor->apply();  // also tries what failed before again
  }
  for (Running& leaving : before) leaving_.spawn(see_off(std::move(leaving), ground_.home.now() + drain));
}

// The loops hold it while it is in force there, and each exchange that uses it.
io::Task<void> Services::see_off(Running leaving, TimePoint processes_until) {
  while (leaving.service.use_count() > 1 && !stopping_) {
    if (leaving.supervisor && ground_.home.now() >= processes_until) break;
    co_await io::sleep_for(ground_.home, kLeavingTick);
  }
  if (leaving.supervisor) {
    co_await leaving.supervisor->stop(ground_.home.now() + kInstanceGrace);
    std::error_code ignored;
    std::filesystem::remove_all(leaving.folder, ignored);
  }
  log::info("a service was removed", {{"service", leaving.service->name()}});
}

std::vector<std::shared_ptr<upstream::Service>> Services::in_force() const {
  std::vector<std::shared_ptr<upstream::Service>> out;
  for (const Running& running : running_) out.push_back(running.service);
  return out;
}

Result<void> Services::restart(std::string_view service, std::string_view instance) {
  for (const Running& running : running_)
    if (running.service->name() == service && running.supervisor)
      return running.supervisor->restart(instance);
  return fail(Code::not_found, Side::client, "the gateway does not supervise this service");
}

void Services::apply(std::string_view service) {
  for (const Running& running : running_)
    if (running.service->name() == service && running.supervisor) running.supervisor->apply();
}

io::Task<void> Services::stop(TimePoint deadline) {
  stopping_ = true;
  io::TaskGroup stops;
  for (const Running& running : running_)
    if (running.supervisor) stops.spawn(running.supervisor->stop(deadline));
  co_await stops.drained();
  co_await leaving_.drained();
}

}  // namespace stateway
