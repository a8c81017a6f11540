#include "store/redis/single.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace stateway::store::redis {
namespace {

std::unexpected<Error> unavailable(Error error) {
  error.code = Code::store_unavailable;
  error.side = Side::store;
  return std::unexpected<Error>(std::move(error));
}

}  // namespace

std::uint64_t server_number(std::string_view run_id) {
  return std::max<std::uint64_t>(1, std::hash<std::string_view>()(run_id));
}

const Reply& first_of(const Reply& reply) {
  return reply.kind == Reply::Kind::array && !reply.elements.empty() ? reply.elements.front() : reply;
}

bool says(const Reply& reply, std::string_view word) {
  if (reply.is_error(word)) return true;
  constexpr std::string_view kWrapped = "ERR Error running script ";
  return reply.is_error() && reply.text.starts_with(kWrapped) &&
         reply.text.contains(": -" + std::string(word) + " ");
}

bool is_refusal(const Reply& reply) {
  return says(reply, "READONLY") || says(reply, "LOADING") || says(reply, "MASTERDOWN");
}

ServerLink::ServerLink(io::Loop& loop, Dialer& dialer, const Access& access, ServerCheck& check,
                       Random& random)
    : loop_(loop), dialer_(dialer), access_(access), check_(check), random_(random) {
  ServerCheck& ours = *this;
  for (std::uint32_t i = 0; i < access_.connections; ++i)
    data_.push_back(std::make_unique<Connection>(loop_, dialer_, access_.options(false), ours, random_));
}

Connection& ServerLink::connection(std::string_view key, bool waits) {
  ServerCheck& ours = *this;
  if (waits && waits_ == nullptr)
    waits_ = std::make_unique<Connection>(loop_, dialer_, access_.options(true), ours, random_);
  Connection& c = waits ? *waits_ : *data_[std::hash<std::string_view>()(key) % data_.size()];
  if (c.connected() && c.facts().run_id != latest_) c.reset("another server answers there now");
  return c;
}

Result<void> ServerLink::check(const ServerFacts& facts) {
  if (auto checked = check_.check(facts); !checked) return checked;
  latest_ = facts.run_id;
  return {};
}

io::Task<Result<Answer>> ServerLink::ask(Request request, TimePoint deadline) {
  for (;;) {
    Connection& c = connection(request.key, request.waits);
    auto reply = co_await c.call(request.command, deadline, request.replies);
    if (!reply) {
      const bool repeat = reply.error().code == Code::closed && request.repeatable;
      if (repeat && loop_.now() < deadline) continue;
      co_return unavailable(std::move(reply).error());
    }
    // The next connection is dialed anew: to the new master, or to this one when it can serve again.
    if (const Reply& first = first_of(*reply); is_refusal(first)) {
      c.reset("it refused: " + first.text);
      if (loop_.now() < deadline) continue;
      co_return fail(Code::store_unavailable, Side::store, first.text, Retry::always);
    }
    co_return Answer{std::move(*reply), server_number(c.facts().run_id)};
  }
}

io::Task<Result<void>> ServerLink::ready(TimePoint deadline) {
  const auto facts = co_await connection({}, false).ready(deadline);
  if (facts) co_return Result<void>();
  if (facts.error().code == Code::timeout) co_return unavailable(facts.error());
  co_return std::unexpected<Error>(facts.error());
}

class SingleTopology::SingleRouter final : public Router {
 public:
  SingleRouter(SingleTopology& topology, io::Loop& loop, io::Network& network)
      : dialer_(topology.make_dialer(loop, network)),
        link_(loop, *dialer_, topology.access_, topology, topology.random_) {}

  io::Task<Result<Answer>> ask(Request request, TimePoint deadline) override {
    return link_.ask(std::move(request), deadline);
  }
  io::Task<Result<void>> ready(TimePoint deadline) override { co_return co_await link_.ready(deadline); }

 private:
  std::unique_ptr<Dialer> dialer_;
  ServerLink link_;
};

std::unique_ptr<Router> SingleTopology::make_router(io::Loop& loop, io::Network& network) {
  return std::make_unique<SingleRouter>(*this, loop, network);
}

std::unique_ptr<Dialer> SingleTopology::make_dialer(io::Loop&, io::Network& network) {
  return std::make_unique<AddressDialer>(network, address_, access_.tls);
}

Result<void> SingleTopology::check(const ServerFacts& facts) {
  if (auto checked = check_master(facts); !checked) return checked;
  const std::lock_guard lock(mutex_);
  if (known_.is(facts)) return {};
  known_ = History(facts);
  epoch_.fetch_add(1, std::memory_order_acq_rel);
  return {};
}

}  // namespace stateway::store::redis
