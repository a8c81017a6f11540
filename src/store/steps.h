// For tests: stores whose every call waits until the test lets it go on, so that a test decides in which
// order the calls of several gateways reach them, and at which of them a gateway dies.
#pragma once

#include <algorithm>
#include <coroutine>
#include <memory>
#include <vector>

#include "base/check.h"
#include "io/epoll.h"
#include "io/task_group.h"
#include "store/store.h"

namespace stateway::store {

/// A gateway's calls that wait. One thread.
class Steps {
 public:
  class Step {
   public:
    explicit Step(Steps& steps) : steps_(steps) {}
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;
    ~Step() { std::erase(steps_.waiting_, this); }
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) {
      waiting_ = h;
      steps_.waiting_.push_back(this);
    }
    void await_resume() const noexcept {}

   private:
    friend class Steps;
    Steps& steps_;
    std::coroutine_handle<> waiting_;
  };

  Step next() { return Step(*this); }
  std::size_t waiting() const { return waiting_.size(); }
  void release(std::size_t which = 0) {
    Step* const step = waiting_.at(which);
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(which));
    step->waiting_.resume();
  }

 private:
  std::vector<Step*> waiting_;
};

/// A store as one gateway reaches it. Calls take effect at once when they are let go on; with `answers_late`
/// their answers wait once more, so that a gateway may die between the two.
class SteppedStore final : public StateStore {
 public:
  SteppedStore(StateStore& inner, Steps& steps, bool answers_late)
      : inner_(inner), steps_(steps), answers_late_(answers_late) {}

  io::Task<Result<std::optional<Record>>> load(io::Loop& loop, std::string key) override {
    co_await steps_.next();
    auto out = co_await inner_.load(loop, std::move(key));
    if (answers_late_) co_await steps_.next();
    co_return out;
  }
  io::Task<Result<Committed>> commit(io::Loop& loop, Batch batch) override {
    co_await steps_.next();
    auto out = co_await inner_.commit(loop, std::move(batch));
    if (answers_late_) co_await steps_.next();
    co_return out;
  }
  void touch(io::Loop& loop, std::string_view key, WallMillis expires_at) override {
    inner_.touch(loop, key, expires_at);
  }
  io::Task<Result<std::vector<Entry>>> list(io::Loop& loop, Query query) override {
    co_await steps_.next();
    co_return co_await inner_.list(loop, std::move(query));
  }
  io::Task<Result<std::size_t>> sweep(io::Loop& loop, std::size_t most) override {
    co_await steps_.next();
    co_return co_await inner_.sweep(loop, most);
  }
  Stats stats() const override { return inner_.stats(); }
  void set_sessions_max(std::uint64_t most) override { inner_.set_sessions_max(most); }
  Leases* leases() override { return shared ? inner_.leases() : nullptr; }

  bool shared = true;  // others may use the inner one

 private:
  StateStore& inner_;
  Steps& steps_;
  const bool answers_late_;
};

}  // namespace stateway::store
