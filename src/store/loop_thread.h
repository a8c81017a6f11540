// For tests: an event loop on a thread of its own, and results of its tasks for the test's thread.
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "io/epoll.h"
#include "io/loop.h"
#include "io/sockets.h"
#include "io/task.h"
#include "io/task_group.h"
#include "io/worker.h"

namespace stateway::store {

/// Must be destroyed after every store its tasks called.
class LoopThread {
 public:
  LoopThread() : thread_([this] { serve(); }) {}
  ~LoopThread() {
    loop_.stop();
    thread_.join();
  }

  /// For stores on other machines.
  io::Loop& loop() { return loop_; }
  io::Network& network() { return network_; }

  /// Starts the task that `make(loop)` returns, on the loop's thread, and gives its value's future.
  template <class Make>
  auto start(Make make) {
    using Value = decltype(std::declval<std::invoke_result_t<Make, io::Loop&>>().await_resume());
    auto promise = std::make_shared<std::promise<Value>>();
    auto future = promise->get_future();
    io::post(loop_, [this, make = std::move(make), promise = std::move(promise)] {
      group_->spawn(fulfil<Value>(make(loop_), promise));
    });
    return future;
  }
  /// The same, waiting for the value.
  template <class Make>
  auto run(Make make) {
    return get(start(std::move(make)));
  }
  /// Destroys every task that has not ended.
  void cancel_all() {
    auto done = std::make_shared<std::promise<void>>();
    auto future = done->get_future();
    io::post(loop_, [this, done = std::move(done)] {
      group_->cancel_all();
      done->set_value();
    });
    get(std::move(future));
  }

  template <class Value>
  static Value get(std::future<Value> future) {
    CHECK(future.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
    return future.get();
  }

 private:
  void serve() {
    io::TaskGroup group;
    group_ = &group;
    loop_.run();
  }
  // The promise is shared: the test may be done with the future before set_value has returned.
  template <class Value>
  static io::Task<void> fulfil(io::Task<Value> task, std::shared_ptr<std::promise<Value>> promise) {
    promise->set_value(co_await task);
  }

  io::EpollLoop loop_;
  io::Worker names_{"names"};
  io::SocketNetwork network_{loop_, names_};
  io::TaskGroup* group_ = nullptr;  // the thread's
  std::thread thread_;
};

}  // namespace stateway::store
