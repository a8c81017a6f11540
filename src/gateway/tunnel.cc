#include "gateway/tunnel.h"

#include <memory>

#include "gateway/on_loop.h"
#include "io/task_group.h"

namespace stateway::gateway {
namespace {

constexpr std::size_t kBufferBytes = 16 * 1024;

struct Activity {
  TimePoint last;
};

// One direction. `first` was read before the tunnel opened. A clean end is passed on; anything else breaks
// both ways.
io::Task<void> copy(io::Loop& loop, io::Stream& from, io::Stream& to, std::string first, Duration idle,
                    Activity& activity) {
  auto sent = co_await to.write_all(first, loop.now() + idle);
  auto buffer = std::make_unique_for_overwrite<char[]>(kBufferBytes);
  while (sent) {
    const auto n = co_await from.read_some(std::span(buffer.get(), kBufferBytes), activity.last + idle);
    if (!n && n.error().code == Code::timeout && activity.last + idle > loop.now())
      continue;  // the other way is busy
    if (n && *n == 0) {
      to.shutdown_write();
      co_return;
    }
    if (!n) break;
    activity.last = loop.now();
    sent = co_await to.write_all(std::string_view(buffer.get(), *n), loop.now() + idle);
  }
  from.abort();
  to.abort();
}

}  // namespace

io::Task<void> run_tunnel(Exchange& x, std::string head) {
  Answer& answer = *x.answer;
  io::Loop& loop = x.on.loop;
  const Duration idle = x.service_options().timeout.idle;
  answer.session_url = {};
  Activity activity{loop.now()};
  io::TaskGroup directions;
  std::string from_instance = answer.connection->reader().take_unread();
  head.append(from_instance);
  directions.spawn(copy(loop, answer.connection->stream(), x.client.stream, std::move(head), idle, activity));
  directions.spawn(copy(loop, x.client.stream, answer.connection->stream(), x.client.reader.take_unread(),
                        idle, activity));
  co_await directions.drained();
}

}  // namespace stateway::gateway
