// A thread for calls that block: name look-ups, reads of the disk, fsync. The answer comes back by mail.
#pragma once

#include <condition_variable>
#include <coroutine>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "io/loop.h"

namespace stateway::io {

/// Runs jobs one after the other, in order. The destructor finishes what was queued, then joins.
class Worker {
 public:
  explicit Worker(const char* thread_name);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  struct Job {
    virtual ~Job() = default;
    virtual void run() = 0;  // on the worker's thread; deletes itself or hands itself on
  };
  /// Takes ownership. Any thread.
  void submit(Job* job);

  template <class F>
  class Call;
  /// Runs `f()` on the worker and resumes the caller on `loop`, its own, with the value. `f` must own what it uses:
  /// when the waiting coroutine is destroyed, the call goes on and its value is thrown away.
  template <class F>
  Call<F> run(Loop& loop, F f) {
    return Call<F>(*this, loop, std::move(f));
  }

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job*> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

template <class F>
class Worker::Call {
 public:
  using Value = std::invoke_result_t<F&>;

  Call(Worker& worker, Loop& loop, F f) : state_(std::make_shared<State>(loop, std::move(f))), worker_(worker) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() { state_->waiting = nullptr; }  // on the loop's thread, as is the delivery: no race

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    state_->waiting = h;
    worker_.submit(new CallJob(state_));
  }
  Value await_resume() { return std::move(*state_->value); }

 private:
  struct State {
    State(Loop& l, F&& function) : loop(l), f(std::move(function)) {}
    Loop& loop;
    F f;
    std::optional<Value> value;
    std::coroutine_handle<> waiting;
  };
  struct CallJob final : Job {
    explicit CallJob(std::shared_ptr<State> s) : state(std::move(s)) {}
    void run() override {
      state->value.emplace(state->f());
      Loop& loop = state->loop;
      loop.deliver(new Answer(std::move(state)));
      delete this;
    }
    std::shared_ptr<State> state;
  };
  struct Answer final : Mail {
    explicit Answer(std::shared_ptr<State> s) : state(std::move(s)) {}
    void deliver() override {
      if (state->waiting) std::exchange(state->waiting, nullptr).resume();
    }
    std::shared_ptr<State> state;
  };

  std::shared_ptr<State> state_;
  Worker& worker_;
};

}  // namespace stateway::io
