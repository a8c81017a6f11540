#include "io/sim/network.h"

#include <algorithm>

#include "base/check.h"

namespace stateway::io {
namespace {

// As when nothing ever comes back.
Task<Result<std::unique_ptr<Stream>>> lost(SimLoop& loop, std::string name, TimePoint deadline) {
  co_await SleepUntil(loop, deadline);
  co_return fail(Code::connect_timeout, Side::upstream, name, Retry::always);
}

}  // namespace

Task<Result<std::unique_ptr<Stream>>> SimHost::connect(const Address& to, TimePoint deadline) {
  SimMedium& medium = network_.medium_;
  SimLoop& loop = medium.loop;
  const Faults faults = medium.faults;
  const std::string name = to_string(to);
  const bool tcp = to.kind == Address::Kind::tcp;
  ++medium.counters.connects;
  if (happens(medium.random, faults.shortage))
    co_return fail(Code::connect_failed, Side::self, name + ": Too many open files", Retry::always);
  const bool is_lost = gone_ || happens(medium.random, faults.lose);
  const bool is_refused = happens(medium.random, faults.refuse);
  const TimePoint there = loop.now() + draw(medium.random, faults.latency_min, faults.latency_max);
  co_await SleepUntil(loop, std::min(there, deadline));
  if (is_lost || there > deadline) {
    ++medium.counters.lost;
    co_return co_await lost(loop, name, deadline);
  }
  const auto found = network_.listening_.find(name);
  if (is_refused || found == network_.listening_.end()) {
    ++medium.counters.refused;
    co_return fail(Code::connect_failed, Side::upstream, name + ": Connection refused", Retry::always);
  }
  SimAcceptor& acceptor = *found->second;
  if (acceptor.host_.gone_ || acceptor.backlog_.size() >= SimNetwork::kBacklog) {
    ++medium.counters.lost;
    co_return co_await lost(loop, name, deadline);
  }
  auto link = std::make_shared<SimLink>(medium, tcp);
  remember(link);
  acceptor.host_.remember(link);
  std::unique_ptr<Stream> stream = std::make_unique<SimStream>(loop, link, 0);
  acceptor.push({std::move(link), tcp ? ip_ : "unix"});
  co_await SleepUntil(loop, loop.now() + draw(medium.random, faults.latency_min, faults.latency_max));
  co_return std::move(stream);
}

std::unique_ptr<Acceptor> SimHost::listen(const Address& at) {
  return std::make_unique<SimAcceptor>(*this, to_string(at));
}

void SimHost::vanish() {
  gone_ = true;
  for (const auto& weak : links_)
    if (const auto link = weak.lock()) link->silence();
  links_.clear();
}

void SimHost::remember(const std::shared_ptr<SimLink>& link) {
  if (links_.size() == links_.capacity())
    std::erase_if(links_, [](const std::weak_ptr<SimLink>& l) { return l.expired(); });
  links_.push_back(link);
}

SimAcceptor::SimAcceptor(SimHost& host, std::string at) : host_(host), at_(std::move(at)) {
  CHECK(host_.network_.listening_.emplace(at_, this).second);
}

SimAcceptor::~SimAcceptor() {
  SimNetwork& network = host_.network_;
  network.listening_.erase(at_);
  network.medium_.loop.remove(*this);
  for (const Waiting& w : backlog_) w.link->close(1, true);
}

void SimAcceptor::push(Waiting waiting) {
  backlog_.push_back(std::move(waiting));
  host_.network_.medium_.loop.raise(*this, SimStream::kReadable);
}

class SimAcceptor::Turn {
 public:
  explicit Turn(SimAcceptor& a) : acceptor_(a) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { acceptor_.waiting_ = nullptr; }
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) { acceptor_.waiting_ = h; }
  void await_resume() const noexcept {}

 private:
  SimAcceptor& acceptor_;
};

void SimAcceptor::on_events(unsigned) {
  if (waiting_) std::exchange(waiting_, nullptr).resume();
}

Task<Result<Accepted>> SimAcceptor::accept() {
  SimMedium& medium = host_.network_.medium_;
  while (backlog_.empty()) co_await Turn(*this);
  if (happens(medium.random, medium.faults.accept_shortage))
    co_return fail(Code::io, Side::self, "Too many open files");
  Waiting first = std::move(backlog_.front());
  backlog_.pop_front();
  Accepted out;
  out.stream = std::make_unique<SimStream>(medium.loop, std::move(first.link), 1);
  out.peer = std::move(first.peer);
  co_return out;
}

}  // namespace stateway::io
