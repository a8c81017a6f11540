// For who can wait: a task of PostgreSQL's on a loop that runs for it alone.
#pragma once

#include <optional>
#include <utility>

#include "io/sockets.h"
#include "io/task_group.h"
#include "io/worker.h"

namespace stateway::store::postgres {

/// A loop for one task, run until that ends. Blocks.
template <class T>
class OneTask {
 public:
  template <class Make>
  Result<T> run(Make make) {
    group_.spawn(keep(make(loop_, network_)));
    loop_.run();
    return std::move(*result_);
  }

 private:
  io::Task<void> keep(io::Task<Result<T>> task) {
    result_ = co_await task;
    loop_.stop();
  }

  io::EpollLoop loop_;
  io::Worker worker_{"store-names"};  // ends before the loop that it answers
  io::SocketNetwork network_{loop_, worker_};
  std::optional<Result<T>> result_;
  io::TaskGroup group_;
};

}  // namespace stateway::store::postgres
