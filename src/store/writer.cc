#include "store/writer.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace stateway::store {
namespace {

// One group's bounds: beyond them a sync is shared well enough, and only the wait for the write would grow.
constexpr std::size_t kGroupBytesMax = 1u << 20;
constexpr std::size_t kGroupRequestsMax = 1024;

std::size_t weight(const Batch& batch) {
  std::size_t bytes = 0;
  for (const Write& write : batch.writes)
    bytes += write.key.size() + (write.record ? write.record->value.size() : 0);
  return bytes;
}

std::unexpected<Error> poisoned_error() {
  return fail(Code::store_poisoned, Side::store, "an earlier write failed; restart the gateway",
              Retry::never);
}

}  // namespace

/// All answers of one group for one loop: a loop is woken once per group, not once per commit.
struct Writer::Answers final : io::Mail {
  std::vector<RequestPtr> requests;
  void deliver() override {
    for (const RequestPtr& request : requests)
      if (request->waiting) std::exchange(request->waiting, nullptr).resume();
  }
};

Writer::Writer(Database& database, HotTable& hot, const WallClock& clock, RecordCount count,
               std::uint64_t records_max)
    : clock_(clock),
      group_(database, hot, count),
      records_(count.records),
      ended_(count.ended),
      records_max_(records_max),
      thread_([this] { work(); }) {
  pthread_setname_np(thread_.native_handle(), "store-write");
}

void Writer::finish() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(inbox_->mutex);
    inbox_->stopping = true;
  }
  inbox_->wake.notify_one();
  thread_.join();
}

Writer::Submission Writer::commit(io::Loop& loop, Batch batch) {
  return Submission(*this, std::make_shared<Request>(loop, std::move(batch), std::vector<Due>()));
}

Writer::Submission Writer::expire(io::Loop& loop, std::vector<Due> due) {
  return Submission(*this, std::make_shared<Request>(loop, Batch(), std::move(due)));
}

// The commits of one turn of a loop become one group, or join the one that forms while another is written.
void Writer::submit(RequestPtr request) {
  request->loop.at_turn_end(inbox_);
  const std::lock_guard lock(inbox_->mutex);
  inbox_->queue.push_back(std::move(request));
}

void Writer::touch(std::string_view key, WallMillis expires_at) {
  if (poisoned()) return;
  {
    const std::lock_guard lock(inbox_->mutex);
    inbox_->touches.emplace_back(std::string(key), expires_at);
  }
  inbox_->wake.notify_one();
}

void Writer::work() {
  while (take()) {
    Result<void> written;
    if (!poisoned()) {
      group_.begin(clock_.now(), records_max_.load(std::memory_order_relaxed));
      for (const Touched& touched : touches_) group_.add_touch(touched.key, touched.expires_at);
      for (const RequestPtr& request : requests_) judge(*request);
      written = group_.write();
      if (written) {
        group_.publish();
      } else {
        poison(written.error());
      }
    } else {
      written = poisoned_error();
    }
    conclude(written);
    answer();
    touches_.clear();
  }
}

bool Writer::take() {
  std::unique_lock lock(inbox_->mutex);
  std::deque<RequestPtr>& queue = inbox_->queue;
  inbox_->wake.wait(lock, [&] { return inbox_->stopping || !queue.empty() || !inbox_->touches.empty(); });
  touches_.swap(inbox_->touches);
  std::size_t bytes = 0;
  while (!queue.empty() && bytes < kGroupBytesMax && requests_.size() < kGroupRequestsMax) {
    bytes += weight(queue.front()->batch);
    requests_.push_back(std::move(queue.front()));
    queue.pop_front();
  }
  return !requests_.empty() || !touches_.empty();
}

void Writer::judge(Request& request) {
  if (!request.batch.writes.empty()) {
    auto added = group_.add(request.batch);
    request.outcome = added ? Result<std::uint64_t>(added->revision) : pass_on(std::move(added));
    return;
  }
  std::uint64_t removed = 0;
  for (const Due& due : request.due) removed += group_.add_expiry(due) ? 1 : 0;
  request.outcome = removed;
}

/// Counts the group, or turns every outcome into its failure: conflicts too were judged by what failed.
void Writer::conclude(const Result<void>& written) {
  bool committed = false;
  for (const RequestPtr& request : requests_) {
    Result<std::uint64_t>& outcome = request->outcome;
    if (!written) {
      outcome = std::unexpected(written.error());
    } else if (!outcome) {
      if (outcome.error().code == Code::conflict) conflicts_.fetch_add(1, std::memory_order_relaxed);
    } else if (request->batch.writes.empty()) {
      swept_.fetch_add(*outcome, std::memory_order_relaxed);
    } else {
      committed = true;
      commits_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  if (committed) groups_.fetch_add(1, std::memory_order_relaxed);
  records_.store(group_.count().records, std::memory_order_relaxed);
  ended_.store(group_.count().ended, std::memory_order_relaxed);
}

void Writer::poison(const Error& cause) {
  poisoned_.store(true, std::memory_order_release);
  log::error("the store refuses writes until the gateway is restarted: a write failed",
             {{"error", cause.context}, {"commits", requests_.size()}});
}

void Writer::answer() {
  std::vector<Answers*> mails;
  std::vector<io::Loop*> loops;  // the gateway has a handful
  for (RequestPtr& request : requests_) {
    const auto at = std::find(loops.begin(), loops.end(), &request->loop);
    const auto index = static_cast<std::size_t>(at - loops.begin());
    if (at == loops.end()) {
      loops.push_back(&request->loop);
      mails.push_back(new Answers);
    }
    mails[index]->requests.push_back(std::move(request));
  }
  requests_.clear();
  for (std::size_t i = 0; i < loops.size(); ++i) loops[i]->deliver(mails[i]);
}

Stats Writer::stats() const {
  return {.kind = "embedded",
          .records = records_.load(std::memory_order_relaxed),
          .ended = ended_.load(std::memory_order_relaxed),
          .commits = commits_.load(std::memory_order_relaxed),
          .conflicts = conflicts_.load(std::memory_order_relaxed),
          .groups = groups_.load(std::memory_order_relaxed),
          .swept = swept_.load(std::memory_order_relaxed),
          .poisoned = poisoned()};
}

}  // namespace stateway::store
