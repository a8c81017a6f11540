// A thread for calls that block: name look-ups, reads of the disk, fsync. The answer comes back by mail.
#pragma once

#include <condition_variable>
#include <coroutine>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "io/call.h"
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
  /// Runs `f()` on the worker and resumes the caller on `loop`, its own, with the value. `f` must own what it
  /// uses: when the waiting coroutine is destroyed, the call goes on and its value is thrown away.
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
class Worker::Call final : public RemoteCall<F> {
 public:
  Call(Worker& worker, Loop& loop, F f) : RemoteCall<F>(loop, std::move(f)), worker_(worker) {}
  void await_suspend(std::coroutine_handle<> h) { worker_.submit(new CallJob(this->begin(h))); }

 private:
  struct CallJob final : Job {
    explicit CallJob(std::shared_ptr<typename RemoteCall<F>::State> s) : state(std::move(s)) {}
    void run() override {
      RemoteCall<F>::run_and_answer(std::move(state));
      delete this;
    }
    std::shared_ptr<typename RemoteCall<F>::State> state;
  };
  Worker& worker_;
};

}  // namespace stateway::io
