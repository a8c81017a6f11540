#include "io/resolver.h"

namespace stateway::io {

Task<Result<std::vector<SocketAddress>>> Resolver::resolve(Address address, TimePoint deadline) {
  auto& slot = names_[to_string(address)];
  if (!slot) slot = std::make_shared<Name>(loop_);
  const std::shared_ptr<Name> name = slot;
  if (loop_.now() < name->fresh_until) co_return name->last_good;
  if (!name->asking) asking_.spawn(ask(name, address));
  const auto told = co_await name->waiters.wait(deadline);
  if (!name->last_good.empty()) co_return name->last_good;
  if (!told)
    co_return fail(Code::connect_timeout, Side::self, "the name look-up takes too long", Retry::always);
  co_return fail(Code::connect_failed, Side::upstream, name->why_not, Retry::always);
}

Task<void> Resolver::ask(std::shared_ptr<Name> name, Address address) {
  name->asking = true;
  auto look_up = [address] { return resolve_blocking(address); };
  auto call = worker_.run(loop_, std::move(look_up));
  Result<std::vector<SocketAddress>> found = co_await call;
  name->asking = false;
  if (found && !found->empty()) {
    name->last_good = std::move(*found);
    name->fresh_until = loop_.now() + kFresh;
  } else {
    name->why_not = found ? "the name has no address" : found.error().context;
  }
  // By mail: whoever is woken may destroy the resolver, and this task with it.
  auto wake = [name] { name->waiters.wake_all(); };
  post(loop_, std::move(wake));
}

}  // namespace stateway::io
