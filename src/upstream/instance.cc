#include "upstream/instance.h"

#include <algorithm>
#include <utility>

#include "base/big_endian.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/log.h"
#include "upstream/balancer.h"

namespace stateway::upstream {

std::string_view state_name(State state) {
  switch (state) {
    case State::starting:
      return "starting";
    case State::up:
      return "up";
    case State::down:
      return "down";
    case State::draining:
      return "draining";
    case State::stopped:
      return "stopped";
  }
  return "stopped";
}

namespace {

std::uint64_t identity_of(std::string_view name, const Address& address) {
  // Of the instance's name the service's part: its number may change when others come and go.
  const std::string_view service = name.substr(0, name.rfind('-'));
  const std::string digest = sha256(std::string(service) + '\0' + to_string(address));
  std::string_view octets = digest;
  std::uint64_t identity = 0;
  CHECK(take_big_endian(octets, identity));
  return identity | 1;  // never 0
}

bool ends_in_number(std::string_view host) {
  const std::string_view label = host.substr(host.rfind('.') + 1);
  return std::ranges::all_of(label, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool is_looked_up(const Address& address) {
  return address.kind == Address::Kind::tcp && !is_local(address) &&
         address.host.find(':') == std::string::npos && !ends_in_number(address.host);
}

Instance::Instance(std::string name, std::size_t index, std::optional<Endpoint> fixed,
                   std::shared_ptr<Changes> changes, const WallClock& clock)
    : name_(std::move(name)),
      index_(index),
      supervised_(!fixed),
      changes_(std::move(changes)),
      clock_(clock),
      identity_(fixed && !is_looked_up(fixed->address) ? identity_of(name_, fixed->address) : 0),
      place_(stable_hash(fixed ? to_string(fixed->address) : name_)),
      since_(clock.now()),
      endpoint_(std::move(fixed).value_or(Endpoint{})) {}

Endpoint Instance::endpoint() const {
  const std::lock_guard lock(mutex_);
  return endpoint_;
}

void Instance::set_token(const std::optional<Secret>& token) {
  {
    const std::lock_guard lock(mutex_);
    const bool same =
        token.has_value() == (endpoint_.token != nullptr) && (!token || *token == *endpoint_.token);
    if (same) return;
    endpoint_.token = token ? std::make_shared<const Secret>(*token) : nullptr;
  }
  Status seen = status();
  while (!replace(seen, {seen.generation + 1, seen.state})) seen = status();
  changes_->announce();
}

void Instance::settle(Address address, std::string host) {
  {
    const std::lock_guard lock(mutex_);
    place_.store(stable_hash(to_string(address)), std::memory_order_relaxed);
    identity_.store(identity_of(name_, address));
    endpoint_.address = std::move(address);
    endpoint_.host = std::move(host);
  }
  enter_state(State::starting);
}

State Instance::state() const {
  const Status s = status();
  if (s.state == State::stopped) return s.state;
  if (s.state == State::starting && failing()) return State::down;
  return drains_for(Drain::removed) || (s.state == State::up && draining()) ? State::draining : s.state;
}

InstanceSnapshot Instance::snapshot() const {
  const std::uint64_t starts = starts_.load(std::memory_order_relaxed);
  InstanceSnapshot out;
  out.name = name_;
  out.state = state();
  if (drains_for(Drain::removed))
    out.drain = "removed";
  else if (drains_for(Drain::restart))
    out.drain = "restart";
  else if (drains_for(Drain::wish))
    out.drain = "operator";
  out.pid = pid();
  out.active = active();
  out.requests = requests_.load(std::memory_order_relaxed);
  out.failures = failures_.load(std::memory_order_relaxed);
  out.restarts = starts > 0 ? starts - 1 : 0;
  out.since = since_.load(std::memory_order_relaxed);
  out.next_start = next_start_.load(std::memory_order_relaxed);
  const WallMillis until = ejected_until_wall_.load(std::memory_order_relaxed);
  if (until > clock_.now() && ejected_generation_.load() == status().generation) out.ejected_until = until;
  const std::lock_guard lock(mutex_);
  if (endpoint_.address != Address{}) out.address = to_string(endpoint_.address);
  out.last_error = last_error_;
  return out;
}

bool Instance::enter(unsigned limit) {
  if (limit == 0) {
    active_.fetch_add(1);
  } else {
    unsigned now = active_.load();
    do {
      if (now >= limit) return false;
    } while (!active_.compare_exchange_weak(now, now + 1));
  }
  requests_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void Instance::connect_failed(Status seen, const Error& error) {
  failures_.fetch_add(1, std::memory_order_relaxed);
  if (error.side != Side::upstream || seen.state != State::up) return;
  const bool refused = error.code == Code::connect_failed;
  if (!refused && connect_timeouts_.fetch_add(1, std::memory_order_relaxed) + 1 < kConnectTimeoutsMax) return;
  if (mark_down(seen, error.context))
    log::warn("instance does not accept connections", {{"instance", name_}, {"reason", error.context}});
}

unsigned Instance::request_went_wrong(Status seen) {
  if (seen != status()) return 0;
  return failed_in_row_.fetch_add(1, std::memory_order_relaxed) + 1;
}

void Instance::request_went_well() {
  // Looked at first: the common case must not make the loops fight for the cache line.
  if (failed_in_row_.load(std::memory_order_relaxed) != 0) failed_in_row_.store(0, std::memory_order_relaxed);
}

bool Instance::ejected(Status s, TimePoint now) const {
  return now.time_since_epoch().count() < ejected_until_.load(std::memory_order_relaxed) &&
         ejected_generation_.load(std::memory_order_relaxed) == s.generation;
}

Duration Instance::eject(Status seen, TimePoint now, Duration first, Duration longest) {
  const TimePoint last_end(Duration(ejected_until_.load()));
  const bool soon = ejected_generation_.load() == seen.generation && now - last_end <= ejection_;
  ejection_ = soon ? std::min(2 * ejection_, longest) : first;
  ejected_generation_.store(seen.generation);
  ejected_until_.store((now + ejection_).time_since_epoch().count());
  ejected_until_wall_.store(clock_.now() +
                            std::chrono::duration_cast<std::chrono::milliseconds>(ejection_).count());
  failed_in_row_.store(0);
  return ejection_;
}

double Instance::share(std::chrono::milliseconds slow_start) const {
  const auto up_for = static_cast<double>(clock_.now() - up_since_.load(std::memory_order_relaxed));
  return std::clamp(up_for / static_cast<double>(slow_start.count()), kShareMin, 1.0);
}

bool Instance::mark_up(Status seen) {
  if (seen.state != State::starting && seen.state != State::down) return false;
  if (!settled()) return false;
  const std::uint64_t returned = seen.state == State::down ? 1 : 0;
  up_since_.store(clock_.now(), std::memory_order_relaxed);  // first: slow start must not miss the beginning
  if (!replace(seen, {seen.generation + returned, State::up})) return false;
  was_up_.store(true, std::memory_order_relaxed);
  failing_.store(false, std::memory_order_relaxed);
  failed_in_row_.store(0, std::memory_order_relaxed);
  connect_timeouts_.store(0, std::memory_order_relaxed);
  changed();
  return true;
}

bool Instance::mark_down(Status seen, std::string_view why) {
  if (seen.state != State::starting && seen.state != State::up) return false;
  if (!replace(seen, {seen.generation, State::down})) return false;
  remember_error(why);
  changed();
  return true;
}

void Instance::drain(Drain why) {
  if (!drains_for(why)) since_.store(clock_.now(), std::memory_order_relaxed);
  drains_.fetch_or(static_cast<std::uint8_t>(why));
  changes_->announce();
}

void Instance::undrain(Drain why) {
  const auto bit = static_cast<std::uint8_t>(why);
  const std::uint8_t before = drains_.fetch_and(static_cast<std::uint8_t>(~bit));
  if ((before & bit) == 0) return;
  if (before == bit) set_drain_deadline(TimePoint::max());
  changed();
}

void Instance::expect_client(WallMillis until) {
  WallMillis known = client_expected_until_.load();
  while (known < until && !client_expected_until_.compare_exchange_weak(known, until)) {
  }
}

void Instance::process_started(pid_t pid, Endpoint endpoint, std::uint64_t identity) {
  {
    const std::lock_guard lock(mutex_);
    endpoint_ = std::move(endpoint);
  }
  pid_.store(pid, std::memory_order_relaxed);
  was_up_.store(false, std::memory_order_relaxed);
  identity_.store(identity);
  client_expected_until_.store(0);  // who came for the last one has nothing here
  starts_.fetch_add(1, std::memory_order_relaxed);
  set_next_start(0);
  enter_state(State::starting);
}

void Instance::process_ending() {
  identity_.store(0);
  enter_state(State::draining);
}

void Instance::process_ended(std::string_view why) {
  process_gone();
  remember_error(why);
  enter_state(State::starting);
}

void Instance::process_failing(std::string_view why) {
  failing_.store(true, std::memory_order_relaxed);
  process_gone();
  remember_error(why);
  enter_state(State::down);
}

void Instance::process_stopped() {
  set_next_start(0);
  process_gone();
  enter_state(State::stopped);
}

void Instance::process_gone() {
  pid_.store(0, std::memory_order_relaxed);
  identity_.store(0);
}

bool Instance::replace(Status seen, Status next) {
  std::uint64_t expected = pack(seen);
  return status_.compare_exchange_strong(expected, pack(next));
}

void Instance::enter_state(State state) {
  Status seen = status();
  while (!replace(seen, {seen.generation + 1, state})) seen = status();
  changed();
}

void Instance::changed() {
  since_.store(clock_.now(), std::memory_order_relaxed);
  changes_->announce();
}

void Instance::remember_error(std::string_view why) {
  const std::lock_guard lock(mutex_);
  last_error_ = why;
}

}  // namespace stateway::upstream
