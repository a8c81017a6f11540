#include "upstream/service.h"

#include <algorithm>

#include "base/check.h"
#include "base/log.h"

namespace stateway::upstream {

namespace {

std::size_t lowest_free_index(const std::vector<std::shared_ptr<Instance>>& taken) {
  std::size_t index = 0;
  while (std::ranges::any_of(taken, [index](const auto& i) { return i->index() == index; })) ++index;
  return index;
}

}  // namespace

Service::Service(ServiceOptions options, const WallClock& clock)
    : name_(options.name),
      clock_(clock),
      changes_(std::make_shared<Changes>()),
      configured_count_(options.count) {
  auto instances = listed(options, {});
  roster_ = std::make_shared<const Roster>(std::move(options), std::move(instances));
}

std::shared_ptr<const Roster> Service::roster() const {
  const std::lock_guard lock(mutex_);
  return roster_;
}

// The instances that `options` ask for: those of `present` that they name, and new ones.
Service::Instances Service::listed(const ServiceOptions& options, const Instances& present) const {
  Instances out;
  Instances taken = present;
  const auto add = [&](std::optional<Endpoint> fixed) {
    const std::size_t index = lowest_free_index(taken);
    std::string name = name_ + "-" + std::to_string(index + 1);
    out.push_back(std::make_shared<Instance>(std::move(name), index, std::move(fixed), changes_, clock_));
    // Clients may be bound to it from before we started; a process of ours comes with nobody's state.
    out.back()->expect_client(clock_.now() + options.bound_idle.count());
    taken.push_back(out.back());
  };
  if (options.command.empty()) {
    for (Endpoint& endpoint : endpoints(options)) {
      const auto at = [&](const auto& i) { return i->address() == endpoint.address; };
      if (std::ranges::any_of(out, at)) continue;  // two names may have one address
      if (const auto known = std::ranges::find_if(present, at); known != present.end())
        out.push_back(*known);
      else
        add(std::move(endpoint));
      out.back()->set_token(options.token);
    }
  } else {
    for (const auto& instance : present)
      if (instance->index() < options.count) out.push_back(instance);
    while (out.size() < options.count) add(std::nullopt);
  }
  return out;
}

std::vector<Endpoint> Service::endpoints(const ServiceOptions& options) const {
  std::vector<Endpoint> out;
  for (const Address& configured : options.instances) {
    const auto found = found_.find(to_string(configured));
    if (found == found_.end()) {
      out.push_back({.address = configured});
      continue;
    }
    for (const Address& address : found->second) out.push_back({.address = address, .host = found->first});
  }
  return out;
}

void Service::set_addresses(const Address& name, std::vector<Address> found) {
  CHECK(!found.empty());
  std::vector<Address>& known = found_[to_string(name)];
  if (known == found) return;
  known = std::move(found);
  log::info("the addresses of a name have changed",
            {{"service", name_}, {"name", to_string(name)}, {"addresses", known.size()}});
  const std::shared_ptr<const Roster> now = roster();
  const auto at = [&now](const Address& address) {
    const auto i =
        std::ranges::find_if(now->instances, [&](const auto& x) { return x->address() == address; });
    return i == now->instances.end() ? nullptr : *i;
  };
  // The one that stood for the name goes on as the first of them.
  const std::shared_ptr<Instance> by_name = at(name);
  if (by_name != nullptr && at(known.front()) == nullptr) by_name->settle(known.front(), to_string(name));
  take_over(now->options);
}

void Service::reconfigure(ServiceOptions options) {
  CHECK(options.name == name_);
  {
    const std::lock_guard lock(mutex_);
    if (options.count != configured_count_) scaled_.reset();
    configured_count_ = options.count;
    if (scaled_) options.count = *scaled_;
  }
  std::erase_if(found_, [&](const auto& name) {
    return std::ranges::none_of(options.instances, [&](const auto& a) { return to_string(a) == name.first; });
  });
  take_over(std::move(options));
}

void Service::scale(unsigned count) {
  ServiceOptions options = roster()->options;
  CHECK(!options.command.empty());
  options.count = count;
  {
    const std::lock_guard lock(mutex_);
    scaled_ = count;
  }
  take_over(std::move(options));
}

void Service::take_over(ServiceOptions options) {
  const std::shared_ptr<const Roster> old = roster();
  Instances instances = listed(options, old->instances);
  for (const auto& instance : instances) instance->undrain(Drain::removed);
  for (const auto& instance : old->instances) {
    if (std::ranges::find(instances, instance) != instances.end()) continue;
    instance->drain(Drain::removed);
    instances.push_back(instance);
  }
  replace_roster(std::move(options), std::move(instances));
}

void Service::replace_roster(ServiceOptions options, Instances instances) {
  std::ranges::sort(instances, {}, [](const auto& i) { return i->index(); });
  auto next = std::make_shared<const Roster>(std::move(options), std::move(instances));
  {
    const std::lock_guard lock(mutex_);
    roster_.swap(next);
  }
  changes_->announce();
}

void Service::remove(const Instance& instance) {
  if (!instance.drains_for(Drain::removed)) return;
  const std::shared_ptr<const Roster> old = roster();
  Instances left = old->instances;
  if (std::erase_if(left, [&](const auto& i) { return i.get() == &instance; }) > 0)
    replace_roster(old->options, std::move(left));
}

void Service::eject(Instance& instance, Instance::Status seen, TimePoint now) {
  const std::lock_guard lock(ejecting_);
  const std::shared_ptr<const Roster> roster_now = roster();
  std::size_t up = 0;
  std::size_t out = 1;
  for (const auto& i : roster_now->instances) {
    const Instance::Status status = i->status();
    if (!i->usable(status)) continue;
    ++up;
    if (i.get() != &instance && i->ejected(status, now)) ++out;
  }
  if (2 * out > up || instance.status() != seen || instance.ejected(seen, now)) {
    instance.request_went_well();  // counting begins anew
    return;
  }
  const EjectOptions& options = roster_now->options.eject;
  const Duration time = instance.eject(seen, now, options.time, options.time_max);
  log::warn("instance is ejected: it fails requests although it is up",
            {{"instance", instance.name()},
             {"failures", options.failures},
             {"for_ms", std::chrono::duration_cast<std::chrono::milliseconds>(time).count()}});
}

void Service::set_rollout(std::string text) {
  const std::lock_guard lock(mutex_);
  rollout_ = std::move(text);
}

std::shared_ptr<Instance> Service::find(std::string_view name) const {
  const std::shared_ptr<const Roster> now = roster();
  for (const auto& instance : now->instances)
    if (instance->name() == name) return instance;
  return nullptr;
}

ServiceSnapshot Service::snapshot() const {
  const std::shared_ptr<const Roster> now = roster();
  ServiceSnapshot out;
  out.name = name_;
  out.supervised = now->supervised();
  out.waiting = waiting();
  out.retrying = retrying_.load();
  if (out.supervised) {
    const std::lock_guard lock(mutex_);
    out.count = now->options.count;
    out.configured_count = configured_count_;
    out.rollout = rollout_;
  }
  for (const auto& instance : now->instances) out.instances.push_back(instance->snapshot());
  return out;
}

bool Service::available() const {
  return std::ranges::any_of(roster()->instances, [](const auto& i) { return i->usable(i->status()); });
}

bool Service::starting() const {
  return std::ranges::any_of(roster()->instances, [](const auto& i) {
    if (!i->supervised() || i->failing() || i->drains_for(Drain::removed) || i->drains_for(Drain::wish))
      return false;
    return i->status().state == State::starting || i->drains_for(Drain::restart);
  });
}

std::optional<Service::RetryPermit> Service::permit_retry() {
  const std::shared_ptr<const Roster> now = roster();
  if (now->options.retry.budget <= 0) return std::nullopt;
  unsigned active = 0;
  for (const auto& instance : now->instances) active += instance->active();
  const auto share = static_cast<unsigned>(now->options.retry.budget * active);
  const unsigned allowed = std::max(share, kRetriesMin);
  if (retrying_.fetch_add(1) >= allowed) {
    retrying_.fetch_sub(1);
    return std::nullopt;
  }
  return RetryPermit(*this);
}

Service::QueuePlace::QueuePlace(Service& service) : service_(service) {
  granted_ = service_.waiting_.fetch_add(1) < service_.roster()->options.queue;
  if (!granted_) service_.waiting_.fetch_sub(1);
}

Service::QueuePlace::~QueuePlace() {
  if (granted_) service_.waiting_.fetch_sub(1);
}

}  // namespace stateway::upstream
