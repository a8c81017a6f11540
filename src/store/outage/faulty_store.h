// For tests: a server that several gateways share, and each gateway's line to it, which may fail.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "store/memory.h"

namespace stateway::store::outage {

/// A store that can come back older than it was. Thread-safe.
class Server {
 public:
  explicit Server(const WallClock& clock)
      : clock_(clock), store_(std::make_shared<MemoryStore>(clock, kMost)) {}

  std::shared_ptr<MemoryStore> store() const {
    const std::lock_guard lock(mutex_);
    return store_;
  }
  std::uint64_t epoch() const { return epoch_; }

  /// All it has.
  static io::Task<std::vector<Entry>> snapshot(io::Loop& loop, std::shared_ptr<MemoryStore> store) {
    co_return co_await all(loop, *store);
  }
  /// Another server takes over, which has what `entries` says.
  io::Task<bool> fail_over(io::Loop& loop, std::vector<Entry> entries) {
    const auto next = std::make_shared<MemoryStore>(clock_, kMost);
    for (Entry& entry : entries) {
      Batch batch;
      batch.writes.push_back({.key = entry.key, .expected = 0, .record = std::move(entry.record)});
      const auto committed = co_await next->commit(loop, std::move(batch));
      CHECK(committed.has_value());
    }
    const std::lock_guard lock(mutex_);
    store_ = next;
    ++epoch_;
    co_return true;
  }

 private:
  static constexpr std::uint64_t kMost = 1'000'000;

  static io::Task<std::vector<Entry>> all(io::Loop& loop, MemoryStore& store) {
    auto listed = co_await store.list(loop, {.limit = kMost});
    CHECK(listed.has_value());
    co_return std::move(*listed);
  }

  const WallClock& clock_;
  mutable std::mutex mutex_;
  std::shared_ptr<MemoryStore> store_;
  std::atomic<std::uint64_t> epoch_{1};
};

enum class Line {
  works,
  fails,         // at once
  hangs,         // and fails after a while
  loses_answers  // what is asked for is done; nobody learns
};

/// What one gateway has of the server. Thread-safe.
class FaultyStore final : public StateStore, private Leases {
 public:
  static constexpr Duration kHang = 20ms;

  FaultyStore(Server& server, std::atomic<Line>& line) : server_(server), line_(line) {}

  io::Task<Result<std::optional<Record>>> load(io::Loop& loop, std::string key) override {
    ++asked;
    if (!co_await reaches(loop)) co_return gone();
    const auto store = server_.store();
    auto loaded = co_await store->load(loop, std::move(key));
    if (line_ != Line::works) co_return gone();
    co_return loaded;
  }
  io::Task<Result<Committed>> commit(io::Loop& loop, Batch batch) override {
    ++asked;
    if (!co_await reaches(loop)) co_return gone();
    const auto store = server_.store();
    auto committed = co_await store->commit(loop, std::move(batch));
    if (line_ != Line::works) co_return gone();
    co_return committed;
  }
  void touch(io::Loop& loop, std::string_view key, WallMillis expires_at) override {
    if (line_ == Line::works) server_.store()->touch(loop, key, expires_at);
  }
  io::Task<Result<std::vector<Entry>>> list(io::Loop& loop, Query query) override {
    if (!co_await reaches(loop)) co_return gone();
    const auto store = server_.store();
    co_return co_await store->list(loop, std::move(query));
  }
  io::Task<Result<std::size_t>> sweep(io::Loop& loop, std::size_t most) override {
    if (!co_await reaches(loop)) co_return gone();
    const auto store = server_.store();
    co_return co_await store->sweep(loop, most);
  }
  Stats stats() const override { return server_.store()->stats(); }
  void set_sessions_max(std::uint64_t most) override { server_.store()->set_sessions_max(most); }
  Leases* leases() override { return this; }
  std::uint64_t epoch() const override { return server_.epoch(); }

  std::atomic<unsigned> asked{0};

 private:
  static std::unexpected<Error> gone() { return fail(Code::store_unavailable, Side::store, "gone"); }
  io::Task<bool> reaches(io::Loop& loop) {
    if (line_ == Line::hangs) co_await io::sleep_for(loop, kHang);
    co_return line_ == Line::works || line_ == Line::loses_answers;
  }
  io::Task<Result<std::uint64_t>> take(io::Loop& loop, std::string key, Duration ttl) override {
    if (!co_await reaches(loop)) co_return gone();
    const auto store = server_.store();
    co_return co_await store->leases()->take(loop, std::move(key), ttl);
  }
  void extend(io::Loop& loop, std::string_view key, std::uint64_t token, Duration ttl) override {
    server_.store()->leases()->extend(loop, key, token, ttl);
  }
  void give_back(io::Loop& loop, std::string_view key, std::uint64_t token) override {
    server_.store()->leases()->give_back(loop, key, token);
  }

  Server& server_;
  std::atomic<Line>& line_;
};

}  // namespace stateway::store::outage
