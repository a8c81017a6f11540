// The outage journal: one thread that writes what must survive this process, many waiters at a time.
// Format: docs/formats/outage-journal.md.
#pragma once

#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "io/loop.h"
#include "store/outage/entry.h"
#include "store/outage/segment_log.h"

namespace stateway::store::outage {

/// Two series of files: intents, with what became of them, each on disk before it is acknowledged; and what
/// the store acknowledged, handed to the operating system only, the oldest of which make room for new ones.
/// Thread-safe.
class Journal {
 public:
  struct Options {
    std::string folder;
    std::uint64_t bytes_max = 0;  // of each series
  };
  /// Where an entry is.
  struct At {
    bool acknowledged = false;  // in that series
    Place place;
  };
  using Visit = std::function<void(const At&, JournalEntry)>;

  /// Opens or creates `options.folder` and shows `visit` what is there: what was acknowledged first, then
  /// intents, each in order. Blocks. Errors: Code::io with a sentence for the operator (in use by another
  /// gateway, not writable, too new).
  static Result<std::unique_ptr<Journal>> open(const Options& options, const Visit& visit);
  /// Finishes what was queued. Blocks.
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// One entry to write. Both functions are called on the journal's thread; works of the same tag one after
  /// the other.
  class Work {
   public:
    explicit Work(std::string t) : tag(std::move(t)) {}
    virtual ~Work() = default;
    /// The entry, or why there is none: then that is the outcome.
    virtual Result<std::string> prepare() = 0;
    /// It is written.
    virtual void publish(const At& at) = 0;

    const std::string tag;
  };
  using WorkPtr = std::unique_ptr<Work>;

  class Submission;
  /// Completes once it is on disk. Errors: those of prepare; store_unavailable: no room, or the disk failed.
  Submission write_intent(io::Loop& loop, WorkPtr work);
  /// Completes once the operating system has it. Errors: those of prepare; store_unavailable.
  Submission write_acknowledged(io::Loop& loop, WorkPtr work);
  /// Not awaited, and without a sync: whoever reads the intent again finds out by himself.
  void write_done(std::string entry);

  /// Of what was published. Blocks. Errors: store_unavailable.
  Result<JournalEntry> read(const At& at) const;
  void need(const At& at) { series(at).need(at.place); }
  void release(const At& at) { series(at).release(at.place); }
  /// Whether it was deleted to make room.
  bool gone(const At& at) const { return at.place.segment < series(at).first(); }
  /// Soon deletes the files of which nothing is needed.
  void tidy();

  std::uint64_t bytes() const { return intents_->bytes() + acknowledged_->bytes(); }

 private:
  struct Request {
    Request(io::Loop* l, WorkPtr w, bool a) : loop(l), work(std::move(w)), acknowledged(a) {}
    io::Loop* loop;     // nobody waits: null
    WorkPtr work;       // null: `entry` is all
    bool acknowledged;  // goes to that series
    std::string entry;
    Result<void> outcome;
    std::coroutine_handle<> waiting;  // touched on the loop's thread only, as is the delivery: no race
  };
  using RequestPtr = std::shared_ptr<Request>;
  struct Answers;
  struct Inbox final : io::TurnEnd {
    void on_turn_end() override { wake.notify_one(); }
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<RequestPtr> queue;
    bool untidy = false;
    bool stopping = false;
  };

  Journal(const Options& options, int lock, std::unique_ptr<SegmentLog> intents,
          std::unique_ptr<SegmentLog> acknowledged);
  SegmentLog& series(const At& at) const { return at.acknowledged ? *acknowledged_ : *intents_; }
  void submit(RequestPtr request);
  bool take();
  void work();
  void write_group(bool acknowledged);
  void answer();

  const std::string folder_;
  const std::uint64_t bytes_max_;
  const int lock_;
  const std::unique_ptr<SegmentLog> intents_;
  const std::unique_ptr<SegmentLog> acknowledged_;
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  // The thread's own.
  std::vector<RequestPtr> group_;
  bool intents_failing_ = false;
  bool acknowledged_failing_ = false;
  std::thread thread_;  // last: it uses all of the above
};

/// Awaited once, on the loop it was made for. Destroying it does not undo the work.
class Journal::Submission {
 public:
  Submission(Journal& journal, RequestPtr request) : journal_(journal), request_(std::move(request)) {}
  Submission(const Submission&) = delete;
  Submission& operator=(const Submission&) = delete;
  ~Submission() { request_->waiting = nullptr; }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    request_->waiting = h;
    journal_.submit(request_);
  }
  Result<void> await_resume() { return std::move(request_->outcome); }

 private:
  Journal& journal_;
  RequestPtr request_;
};

}  // namespace stateway::store::outage
