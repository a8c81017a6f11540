#include "writers.h"

#include <utility>

#include "wait.h"

namespace stateway::stores {

using store::Record;
using store::Revision;
using store::StateStore;

namespace {
constexpr const char* kSecond = "/2";
}

Writers::Writers(const std::vector<store::LoopThread*>& loops, StateStore& store,
                 std::vector<std::string> keys, WallMillis expires_at) {
  for (std::string& key : keys) {
    writers_.push_back(std::make_unique<Writer>());
    writers_.back()->key = std::move(key);
    writers_.back()->gateway = writers_.size();
  }
  for (const auto& one : writers_) {
    Writer& writer = *one;
    store::LoopThread& loop = *loops[running_.size() % loops.size()];
    running_.push_back(loop.start([this, &store, &writer, expires_at](io::Loop& on) {
      return write(on, store, writer, stopping_, expires_at);
    }));
  }
}

Writers::~Writers() { stop(); }

io::Task<bool> Writers::write(io::Loop& loop, StateStore& store, Writer& writer,
                              const std::atomic<bool>& stopping, WallMillis expires_at) {
  while (!stopping) (void)co_await step(loop, store, writer, expires_at);
  co_return co_await compare(loop, store, writer);
}

io::Task<bool> Writers::compare(io::Loop& loop, StateStore& store, Writer& writer) {
  std::optional<Record> first;
  const bool looked = co_await look(loop, store, writer, first);
  if (!looked) co_return false;
  const auto second = co_await store.load(loop, writer.key + kSecond);
  if (!second) {
    ++writer.failed;
    writer.error = "load: " + second.error().context;
    co_return false;
  }
  const Revision there = *second ? (*second)->revision : 0;
  if (there != (first ? first->revision : 0)) ++writer.wrong;
  co_return true;
}

/// What is there, compared with what was acknowledged. False: the load failed.
io::Task<bool> Writers::look(io::Loop& loop, StateStore& store, Writer& writer,
                             std::optional<Record>& found) {
  auto loaded = co_await store.load(loop, writer.key);
  if (!loaded) {
    ++writer.failed;
    writer.error = "load: " + loaded.error().context;
    co_return false;
  }
  found = std::move(*loaded);
  const Revision revision = found ? found->revision : 0;
  if (found && found->value != std::to_string(revision)) ++writer.wrong;
  if (revision < writer.shown) {
    writer.lost += writer.shown - revision;
    writer.shown = revision;
  }
  co_return true;
}

io::Task<bool> Writers::step(io::Loop& loop, StateStore& store, Writer& writer, WallMillis expires_at) {
  std::optional<Record> found;
  const bool looked = co_await look(loop, store, writer, found);
  if (!looked) co_return false;
  Record next = found.value_or(Record());
  const Revision before = next.revision++;
  next.value = std::to_string(next.revision);
  next.expires_at = expires_at;
  store::Batch batch;
  batch.writes.push_back({.key = writer.key, .expected = before, .record = next});
  batch.writes.push_back({.key = writer.key + kSecond, .expected = before, .record = std::move(next)});
  batch.id = {.gateway = writer.gateway, .sequence = ++writer.sequence};
  const auto committed = co_await store.commit(loop, std::move(batch));
  if (committed) {
    writer.shown = before + 1;
    ++writer.acknowledged;
    co_return true;
  }
  // A commit that was lost together with its master may leave an older record than the load showed.
  if (committed.error().code == Code::conflict) co_return false;
  ++writer.failed;
  writer.error = "commit: " + committed.error().context;
  co_return false;
}

void Writers::wait_for_commits(std::uint64_t more, Duration limit) {
  std::vector<std::uint64_t> goals;
  for (const auto& writer : writers_) goals.push_back(writer->acknowledged + more);
  const auto reached = [&] {
    for (std::size_t i = 0; i < writers_.size(); ++i)
      if (writers_[i]->acknowledged < goals[i]) return false;
    return true;
  };
  wait_until("every writer commits again", reached, limit);
}

void Writers::stop() {
  stopping_ = true;
  for (auto& one : std::exchange(running_, {})) (void)store::LoopThread::get(std::move(one));
}

std::uint64_t Writers::acknowledged() const {
  std::uint64_t sum = 0;
  for (const auto& writer : writers_) sum += writer->acknowledged;
  return sum;
}

std::uint64_t Writers::failed() const {
  std::uint64_t sum = 0;
  for (const auto& writer : writers_) sum += writer->failed;
  return sum;
}

std::uint64_t Writers::lost() const {
  std::uint64_t sum = 0;
  for (const auto& writer : writers_) sum += writer->lost;
  return sum;
}

std::uint64_t Writers::wrong() const {
  std::uint64_t sum = 0;
  for (const auto& writer : writers_) sum += writer->wrong;
  return sum;
}

std::string Writers::last_error() const {
  for (const auto& writer : writers_)
    if (!writer->error.empty()) return writer->error;
  return {};
}

}  // namespace stateway::stores
