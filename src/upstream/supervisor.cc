#include "upstream/supervisor.h"

#include "base/log.h"
#include "upstream/keeper.h"

namespace stateway::upstream {

Supervisor::Supervisor(SupervisorOptions options) : options_(std::move(options)) {}
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
  std::unique_ptr<Supervisor> out(new Supervisor(std::move(options)));
  for (const auto& instance : roster->instances)
    out->keepers_.push_back(std::make_unique<Keeper>(service, instance, loop, guardian, out->options_));
  return out;
}

Result<void> Supervisor::restart(std::string_view instance) {
  for (const auto& keeper : keepers_) {
    if (keeper->instance().name() != instance) continue;
    keeper->restart();
    return {};
  }
  return fail(Code::not_found, Side::self, "the service has no instance '" + std::string(instance) + "'");
}

io::Task<void> Supervisor::stop(TimePoint deadline) {
  for (const auto& keeper : keepers_) keeper->stop(deadline);
  for (const auto& keeper : keepers_) co_await keeper->stopped();
}

}  // namespace stateway::upstream
