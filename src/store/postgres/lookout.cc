#include "store/postgres/lookout.h"

#include "store/postgres/one_task.h"

namespace stateway::store::postgres {
namespace {

io::Task<Result<Facts>> look(io::Loop& loop, io::Network& network, const Target& target,
                             const StoreOptions& options) {
  auto opened = co_await Connection::open(loop, network, target, options.timeout);
  if (!opened) co_return pass_on(std::move(opened));
  co_return co_await greet(**opened, options.durability, options.timeout, loop.now() + options.timeout);
}

}  // namespace

Result<Facts> look_once(const Target& target, const StoreOptions& options) {
  OneTask<Facts> once;
  return once.run([&](io::Loop& loop, io::Network& network) { return look(loop, network, target, options); });
}

}  // namespace stateway::store::postgres
