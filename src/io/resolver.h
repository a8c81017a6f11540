// Names to addresses, without holding up a loop or asking twice.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "io/socket_address.h"
#include "io/task_group.h"
#include "io/wait_queue.h"
#include "io/worker.h"

namespace stateway::io {

/// One loop's look-ups: at most one per name runs at a time, on the worker; an answer is good for kFresh, and
/// a name that cannot be looked up in time keeps its last good answer. Not thread-safe.
class Resolver {
 public:
  static constexpr Duration kFresh = 5s;

  /// Both must outlive the resolver.
  Resolver(Loop& loop, Worker& worker) : loop_(loop), worker_(worker) {}

  /// The addresses of `name`, at least one. Errors: connect_failed with the resolver's reason;
  /// connect_timeout at `deadline`, Side::self: that says nothing about who listens there.
  Task<Result<std::vector<SocketAddress>>> resolve(Address name, TimePoint deadline);

 private:
  struct Name {
    explicit Name(Loop& loop) : waiters(loop) {}
    std::vector<SocketAddress> last_good;
    TimePoint fresh_until{};
    std::string why_not;  // the last failure
    bool asking = false;
    WaitQueue waiters;
  };
  Task<void> ask(std::shared_ptr<Name> name, Address address);

  Loop& loop_;
  Worker& worker_;
  std::map<std::string, std::shared_ptr<Name>> names_;  // as many as the configuration has
  TaskGroup asking_;
};

}  // namespace stateway::io
