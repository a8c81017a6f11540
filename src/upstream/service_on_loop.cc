#include "upstream/service_on_loop.h"

#include <algorithm>

namespace stateway::upstream {

/// A place in this loop's queue; the lease is handed over when the waiter is woken.
class ServiceOnLoop::Waiter final : private io::Timer {
 public:
  Waiter(ServiceOnLoop& owner, Attempts& tried, bool may_repeat, TimePoint until)
      : Timer(owner.loop_.timers()), attempts(tried), again(may_repeat), owner_(owner), until_(until) {}
  ~Waiter() override { leave(); }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    waiting_ = h;
    place_ = owner_.waiters_.insert(owner_.waiters_.end(), this);
    queued_ = true;
    arm(until_);
  }
  /// nullopt: it is time to look again.
  std::optional<Lease> await_resume() { return std::move(lease_); }

  void wake(std::optional<Lease> lease) {
    leave();
    disarm();
    lease_ = std::move(lease);
    waiting_.resume();
  }

  Attempts& attempts;
  const bool again;  // instances that were tried will do

 private:
  void on_timer() override {
    leave();
    waiting_.resume();
  }
  void leave() {
    if (std::exchange(queued_, false)) owner_.waiters_.erase(place_);
  }

  ServiceOnLoop& owner_;
  TimePoint until_;
  std::coroutine_handle<> waiting_;
  std::list<Waiter*>::iterator place_;
  bool queued_ = false;
  std::optional<Lease> lease_;
};

ServiceOnLoop::ServiceOnLoop(Service& service, io::Loop& loop, io::Network& network, Random& random,
                             http::HeadLimits limits)
    : service_(service),
      loop_(loop),
      network_(network),
      limits_(limits),
      random_(random),
      state_changes_(service.changes(), loop, *this),
      room_(service.room(), loop, *this) {
  take_roster();
}

ServiceOnLoop::~ServiceOnLoop() {
  if (gone_ != nullptr) *gone_ = true;
}

// Connections to instances that stay are kept.
void ServiceOnLoop::take_roster() {
  std::shared_ptr<const Roster> now = service_.roster();
  if (now == roster_) return;
  const ServiceOptions* old = roster_ ? &roster_->options : nullptr;
  const bool same_idle = old != nullptr && old->timeout.idle == now->options.timeout.idle;
  if (old == nullptr || old->balance != now->options.balance)
    balancer_ = make_balancer(now->options.balance, random_);
  std::vector<Member> members;
  for (const auto& instance : now->instances) {
    const auto known = std::ranges::find(members_, instance, &Member::instance);
    if (known != members_.end() && same_idle)
      members.push_back(std::move(*known));
    else
      members.push_back(
          {instance, std::make_unique<Pool>(loop_, now->options.timeout.idle, kIdlePerInstance)});
  }
  members_ = std::move(members);
  roster_ = std::move(now);
}

const ServiceOnLoop::Member* ServiceOnLoop::member(std::size_t index) const {
  const auto found =
      std::ranges::lower_bound(members_, index, {}, [](const Member& m) { return m.instance->index(); });
  return found != members_.end() && found->instance->index() == index ? &*found : nullptr;
}

Pool* ServiceOnLoop::pool_of(const Instance& instance) const {
  const Member* found = member(instance.index());
  return found != nullptr && found->instance.get() == &instance ? found->pool.get() : nullptr;
}

std::size_t ServiceOnLoop::idle_connections(const Instance& instance) const {
  const Pool* pool = pool_of(instance);
  return pool == nullptr ? 0 : pool->size();
}

std::optional<Lease> ServiceOnLoop::try_acquire(Attempts& attempts) {
  if (!room_is_awaited()) return pick(attempts, false);
  service_.room().announce();  // also of room that nobody made: an ejection may have ended
  return std::nullopt;
}

// Room is scarce only with a limit; then nobody may overtake those who wait for it. Those who cannot use what
// there is (theirs is full, or was tried a moment ago) keep nobody from it.
bool ServiceOnLoop::room_is_awaited() {
  if (options().concurrency_per_instance == 0 || waiters_.empty() || !has_room()) return false;
  return std::ranges::any_of(waiters_, [this](const Waiter* waiter) {
    return find_candidates(waiter->attempts, false) ||
           (waiter->again && find_candidates(waiter->attempts, true));
  });
}

bool ServiceOnLoop::eligible(const Attempts& attempts, const Instance& instance,
                             Instance::Status status) const {
  if (!attempts.only) return instance.usable(status);
  return instance.identity() == *attempts.only && instance.reachable(status, loop_.now());
}

// The only instance that may be chosen is gone: it left, died, is down, or has drained for too long. A fixed
// one that was not checked yet may still be there, and any may be what a name that was not found yet stands
// for.
bool ServiceOnLoop::lost(const Attempts& attempts) const {
  return attempts.only && std::ranges::none_of(roster_->instances, [&](const auto& i) {
           const Instance::Status status = i->status();
           if (!i->settled()) return !i->drains_for(Drain::removed);
           return i->identity() == *attempts.only &&
                  (status.state == State::starting || i->reachable(status, loop_.now()));
         });
}

// Ejected ones are better than nobody.
bool ServiceOnLoop::find_candidates(const Attempts& attempts, bool again) {
  if (!gather(attempts, again, false)) (void)gather(attempts, again, true);
  return !candidates_.empty();
}

std::optional<Lease> ServiceOnLoop::pick(Attempts& attempts, bool again) {
  (void)find_candidates(attempts, again);
  const unsigned limit = options().concurrency_per_instance;
  while (!candidates_.empty()) {
    const std::size_t chosen = best(attempts);
    const std::shared_ptr<Instance>& instance = member(candidates_[chosen].index)->instance;
    if (instance->enter(limit)) {
      const Instance::Status status = instance->status();
      const std::uint64_t identity = instance->identity();
      // The second look: only then status and identity are of one process.
      if (eligible(attempts, *instance, status) && instance->status() == status) {
        attempts.add(*instance, status.generation);
        return Lease(*this, instance, status.generation, identity);
      }
      instance->leave();
    }
    candidates_.erase(candidates_.begin() +
                      static_cast<std::ptrdiff_t>(chosen));  // full or down since we looked
  }
  return std::nullopt;
}

bool ServiceOnLoop::gather(const Attempts& attempts, bool again, bool ejected) {
  const unsigned limit = options().concurrency_per_instance;
  const bool slowly = options().slow_start > Duration::zero();
  bool any = false;
  candidates_.clear();
  late_.clear();
  for (const auto& instance : roster_->instances) {
    const Instance::Status status = instance->status();
    if (!eligible(attempts, *instance, status)) continue;
    if (!attempts.only && instance->ejected(status, loop_.now()) != ejected) continue;
    if (attempts.has_tried(*instance, status.generation) != again) continue;
    any = true;
    const unsigned active = instance->active();
    if (limit != 0 && active >= limit) continue;
    auto& list = !slowly || attempts.only || has_its_turn(*instance, attempts) ? candidates_ : late_;
    list.push_back({instance->index(), active, instance->place()});
  }
  if (candidates_.empty()) candidates_.swap(late_);
  return any;
}

// Slow start, for every policy in the same way: an instance takes part in its share of the picks. A key has
// its turn or has not, so that it moves once and not with every request.
bool ServiceOnLoop::has_its_turn(const Instance& instance, const Attempts& attempts) const {
  const double share = instance.share(options().slow_start);
  if (share >= 1) return true;
  constexpr std::uint64_t kParts = 1'000'000;
  const std::uint64_t drawn =
      attempts.key ? mixed(instance.place(), *attempts.key) % kParts : random_.below(kParts);
  return static_cast<double>(drawn) < share * static_cast<double>(kParts);
}

std::size_t ServiceOnLoop::best(const Attempts& attempts) {
  return attempts.key ? by_key(candidates_, *attempts.key) : balancer_->best(candidates_);
}

void ServiceOnLoop::judge(Instance& instance, std::uint64_t generation, Outcome outcome) {
  const unsigned limit = options().eject.failures;
  if (limit == 0) return;
  if (outcome == Outcome::answered) return instance.request_went_well();
  const Instance::Status seen{generation, State::up};
  if (instance.request_went_wrong(seen) >= limit) service_.eject(instance, seen, loop_.now());
}

io::Task<Result<Lease>> ServiceOnLoop::acquire(Attempts& attempts, TimePoint deadline) {
  if (auto lease = try_acquire(attempts)) co_return std::move(*lease);
  if (lost(attempts)) co_return fail(Code::instance_lost, Side::upstream, options().name);
  const Service::QueuePlace place(service_);
  if (!place.granted()) co_return fail(Code::queue_full, Side::upstream, options().name);
  // Whoever made room before it could see us in the queue has told nobody: look once more.
  if (auto lease = try_acquire(attempts)) co_return std::move(*lease);

  const TimePoint began = loop_.now();
  const TimePoint repeat_at = attempts.repeat && attempts.made() > 0 ? began + kRepeatPause : io::kNoDeadline;
  for (;;) {
    if (lost(attempts)) co_return fail(Code::instance_lost, Side::upstream, options().name);
    const TimePoint now = loop_.now();
    const bool again = now >= repeat_at;
    if (again) {
      if (auto lease = pick(attempts, true)) co_return std::move(*lease);
    }
    const TimePoint end = std::min(deadline, wait_end(began));
    if (end <= now) {
      if (auto lease = pick(attempts, false)) co_return std::move(*lease);
      co_return fail(Code::no_instance, Side::upstream, options().name);
    }
    Waiter waiter(*this, attempts, again, again ? end : std::min(end, repeat_at));
    if (auto lease = co_await waiter) co_return std::move(*lease);
  }
}

// Looked at again whenever it is over: a service may have begun to restart meanwhile.
TimePoint ServiceOnLoop::wait_end(TimePoint began) const {
  const Duration connect = options().timeout.connect;
  return began + (service_.starting() ? std::max(connect, kStartAllowance) : connect);
}

bool ServiceOnLoop::has_room() const {
  const unsigned limit = options().concurrency_per_instance;
  return std::ranges::any_of(roster_->instances, [this, limit](const auto& i) {
    return i->reachable(i->status(), loop_.now()) && (limit == 0 || i->active() < limit);
  });
}

void ServiceOnLoop::on_change() {
  take_roster();
  for (const Member& member : members_) member.pool->keep_only(member.instance->status().generation);
  serve_waiters();
}

void ServiceOnLoop::serve_waiters() {
  bool gone = false;  // a waiter may be the last thing that keeps us
  gone_ = &gone;
  for (auto it = waiters_.begin(); it != waiters_.end();) {
    Waiter& waiter = **it;
    const bool room = has_room();
    auto lease = room ? pick(waiter.attempts, false) : std::nullopt;
    if (!lease && room && waiter.again) lease = pick(waiter.attempts, true);
    if (lease || lost(waiter.attempts)) {
      waiter.wake(std::move(lease));  // goes on at once and may change the queue
      if (gone) return;
      it = waiters_.begin();
    } else {
      ++it;  // what has room is not for it
    }
  }
  gone_ = nullptr;
}

void ServiceOnLoop::released() {
  if (options().concurrency_per_instance > 0 && service_.waiting() > 0) service_.room().announce();
}

std::unique_ptr<Connection> ServiceOnLoop::take_idle(const Instance& instance, std::uint64_t generation) {
  Pool* pool = pool_of(instance);
  auto idle = pool == nullptr ? nullptr : pool->take(generation);
  if (idle) idle->reader().set_limits(limits_);  // they may have changed since it was used last
  return idle;
}

io::Task<Result<std::unique_ptr<Connection>>> ServiceOnLoop::connect(std::shared_ptr<Instance> instance,
                                                                     bool fresh) {
  // Before the endpoint: if the instance restarts in between, the connection counts as one of the old
  // generation.
  const Instance::Status status = instance->status();
  if (!fresh) {
    if (auto idle = take_idle(*instance, status.generation)) co_return idle;
  }
  Endpoint to = instance->endpoint();
  auto stream = co_await network_.connect(to.address, loop_.now() + options().timeout.connect);
  if (!stream) {
    instance->connect_failed(status, stream.error());
    co_return pass_on(std::move(stream));
  }
  instance->connected();
  co_return std::make_unique<Connection>(std::move(*stream), limits_, status.generation, std::move(to.token));
}

}  // namespace stateway::upstream
