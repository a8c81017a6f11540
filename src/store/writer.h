// The one thread that writes to the embedded store. Whatever waits while it writes becomes its next group.
#pragma once

#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "io/loop.h"
#include "store/group.h"
#include "store/store.h"

namespace stateway::store {

class Writer {
 public:
  /// All must outlive the writer. `count`: what the database holds now.
  Writer(Database& database, HotTable& hot, const WallClock& clock, RecordCount count,
         std::uint64_t records_max);
  ~Writer() { finish(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  class Submission;
  /// Commits a well-formed batch (check_batch). The revision of its first record; errors of
  /// StateStore::commit.
  Submission commit(io::Loop& loop, Batch batch);
  /// Removes what has expired of `due`, a few dozen at most: commits wait behind it. How many were removed;
  /// errors: store_unavailable, store_poisoned.
  Submission expire(io::Loop& loop, std::vector<Due> due);
  /// StateStore::touch for the database; the hot table is the caller's.
  void touch(std::string_view key, WallMillis expires_at);

  /// Finishes what was queued, then joins. Nothing may be submitted afterwards.
  void finish();

  /// A write failed: everything is refused from then on.
  bool poisoned() const { return poisoned_.load(std::memory_order_acquire); }
  Stats stats() const;
  void set_records_max(std::uint64_t most) { records_max_.store(most, std::memory_order_relaxed); }

 private:
  /// One caller's work, owned by its Submission and by whoever is to do it, so that either may go first.
  struct Request {
    Request(io::Loop& l, Batch b, std::vector<Due> d) : loop(l), batch(std::move(b)), due(std::move(d)) {}
    io::Loop& loop;
    Batch batch;  // empty: an expiry
    std::vector<Due> due;
    Result<std::uint64_t> outcome = 0;
    std::coroutine_handle<> waiting;  // touched on the loop's thread only, as is the delivery: no race
  };
  using RequestPtr = std::shared_ptr<Request>;
  struct Touched {
    std::string key;
    WallMillis expires_at;
  };
  struct Answers;
  /// What is to be done, and how the thread hears of it. A loop tells it at the end of its turn, and may do
  /// so when the writer has gone already.
  struct Inbox final : io::TurnEnd {
    void on_turn_end() override { wake.notify_one(); }
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<RequestPtr> queue;
    std::vector<Touched> touches;
    bool stopping = false;
  };

  void submit(RequestPtr request);
  void work();
  bool take();
  void judge(Request& request);
  void conclude(const Result<void>& written);
  void poison(const Error& cause);
  void answer();

  const WallClock& clock_;

  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();

  // The writer thread's own.
  Group group_;
  std::vector<RequestPtr> requests_;
  std::vector<Touched> touches_;

  std::atomic<bool> poisoned_{false};
  std::atomic<std::uint64_t> records_;
  std::atomic<std::uint64_t> ended_;
  std::atomic<std::uint64_t> records_max_;
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> conflicts_{0};
  std::atomic<std::uint64_t> groups_{0};
  std::atomic<std::uint64_t> swept_{0};

  std::thread thread_;  // last: it uses all of the above
};

/// Awaited once, on the loop it was made for. Destroying it does not undo the work.
class Writer::Submission {
 public:
  Submission(Writer& writer, RequestPtr request) : writer_(writer), request_(std::move(request)) {}
  Submission(const Submission&) = delete;
  Submission& operator=(const Submission&) = delete;
  ~Submission() { request_->waiting = nullptr; }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    request_->waiting = h;
    writer_.submit(request_);
  }
  Result<std::uint64_t> await_resume() { return std::move(request_->outcome); }

 private:
  Writer& writer_;
  RequestPtr request_;
};

}  // namespace stateway::store
