#include "store.h"

#include <utility>

namespace stateway::sim {

struct Store::Job {
  Job(io::Loop& loop, store::Batch b) : batch(std::move(b)), done(loop) {}
  store::Batch batch;
  std::optional<Result<store::Committed>> result;
  io::WaitQueue done;
};

Duration Store::delay() {
  if (io::happens(random_, faults_.slow)) return io::draw(random_, faults_.delay_max, faults_.slow_max);
  return io::draw(random_, faults_.delay_min, faults_.delay_max);
}

io::Task<Result<std::optional<store::Record>>> Store::load(io::Loop& loop, std::string key) {
  co_await io::sleep_for(loop_, delay());
  if (io::happens(random_, faults_.load_fails)) co_return fail(Code::store_unavailable, Side::store);
  auto loaded = co_await durable_.load(loop, std::move(key));
  co_await io::sleep_for(loop_, delay());
  co_return loaded;
}

io::Task<Result<std::uint64_t>> Store::take(io::Loop& loop, std::string key, Duration ttl) {
  co_await io::sleep_for(loop_, delay());
  if (io::happens(random_, faults_.load_fails)) co_return fail(Code::store_unavailable, Side::store);
  auto taken = co_await durable_.leases()->take(loop, std::move(key), ttl);
  co_await io::sleep_for(loop_, delay());
  co_return taken;
}

io::Task<Result<store::Committed>> Store::commit(io::Loop& loop, store::Batch batch) {
  const auto job = std::make_shared<Job>(loop, std::move(batch));
  jobs_.spawn(run(job));
  while (!job->result) (void)co_await job->done.wait(io::kNoDeadline);
  co_return std::move(*job->result);
}

io::Task<void> Store::run(std::shared_ptr<Job> job) {
  co_await io::sleep_for(loop_, delay());
  Result<store::Committed> result = co_await apply(std::move(job->batch));
  co_await io::sleep_for(loop_, delay());
  job->result = std::move(result);
  job->done.wake();
}

io::Task<Result<store::Committed>> Store::apply(store::Batch batch) {
  if (poisoned_) co_return fail(Code::store_poisoned, Side::store);
  const bool poison = io::happens(random_, faults_.poison);
  if (poison) poisoned_ = true;
  const bool lost = io::happens(random_, faults_.fails_before) || (poison && random_.below(2) == 0);
  if (lost) co_return fail(Code::store_unavailable, Side::store, "the outcome is unknown");
  auto applied = co_await durable_.commit(loop_, std::move(batch));
  if (!applied && applied.error().code == Code::conflict) ++conflicts_;
  if (applied && (poison || io::happens(random_, faults_.fails_after)))
    co_return fail(Code::store_unavailable, Side::store, "the outcome is unknown");
  co_return applied;
}

}  // namespace stateway::sim
