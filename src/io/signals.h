// Signals as events of a loop.
#pragma once

#include <initializer_list>
#include <memory>

#include "io/epoll.h"
#include "io/stream.h"
#include "io/task.h"

namespace stateway::io {

/// Blocks the signals in this thread and those it starts later; call before there are others. They are then
/// read with SignalSource. SIGPIPE is ignored as well.
void block_signals(std::initializer_list<int> numbers);

/// Reads blocked signals. Belongs to one loop.
class SignalSource {
 public:
  SignalSource(EpollLoop& loop, std::initializer_list<int> numbers);
  /// The number of the next signal. Waits without a deadline.
  Task<int> next();

 private:
  std::unique_ptr<Stream> stream_;
};

}  // namespace stateway::io
