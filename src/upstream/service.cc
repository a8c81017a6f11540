#include "upstream/service.h"

#include <algorithm>

namespace stateway::upstream {

Service::Service(ServiceOptions options, const WallClock& clock)
    : options_(std::move(options)), changes_(std::make_shared<Changes>()) {
  const std::size_t count = supervised() ? options_.count : options_.instances.size();
  for (std::size_t i = 0; i < count; ++i) {
    std::optional<Address> fixed;
    if (!supervised()) fixed = options_.instances[i];
    std::string name = options_.name + "-" + std::to_string(i + 1);
    instances_.push_back(std::make_shared<Instance>(std::move(name), i, std::move(fixed), changes_, clock));
  }
}

std::shared_ptr<Instance> Service::find(std::string_view name) const {
  for (const auto& instance : instances_)
    if (instance->name() == name) return instance;
  return nullptr;
}

ServiceSnapshot Service::snapshot() const {
  ServiceSnapshot out;
  out.name = options_.name;
  out.supervised = supervised();
  out.waiting = waiting();
  out.retrying = retrying_.load();
  for (const auto& instance : instances_) out.instances.push_back(instance->snapshot());
  return out;
}

bool Service::available() const {
  return std::ranges::any_of(instances_, [](const auto& i) { return i->usable(i->status()); });
}

bool Service::starting() const {
  return std::ranges::any_of(
      instances_, [](const auto& i) { return i->supervised() && i->status().state == State::starting; });
}

std::optional<Service::RetryPermit> Service::permit_retry() {
  if (options_.retry.budget <= 0) return std::nullopt;
  unsigned active = 0;
  for (const auto& instance : instances_) active += instance->active();
  const auto share = static_cast<unsigned>(options_.retry.budget * active);
  const unsigned allowed = std::max(share, kRetriesMin);
  if (retrying_.fetch_add(1) >= allowed) {
    retrying_.fetch_sub(1);
    return std::nullopt;
  }
  return RetryPermit(*this);
}

Service::QueuePlace::QueuePlace(Service& service) : service_(service) {
  granted_ = service_.waiting_.fetch_add(1) < service_.options_.queue;
  if (!granted_) service_.waiting_.fetch_sub(1);
}

Service::QueuePlace::~QueuePlace() {
  if (granted_) service_.waiting_.fetch_sub(1);
}

}  // namespace stateway::upstream
