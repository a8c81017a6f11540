#include "gateway/listener.h"

#include "base/log.h"
#include "gateway/connection.h"

namespace stateway::gateway {

namespace {

class Registration {
 public:
  Registration(std::list<Connection*>& open, Connection& c) : open_(open), at_(open.insert(open.end(), &c)) {}
  ~Registration() { open_.erase(at_); }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

 private:
  std::list<Connection*>& open_;
  std::list<Connection*>::iterator at_;
};

}  // namespace

Listener::~Listener() = default;

void Listener::listen(std::unique_ptr<io::Acceptor> acceptor) {
  acceptors_.push_back(std::move(acceptor));
  accepting_.spawn(accept_from(*acceptors_.back()));
}

io::Task<void> Listener::accept_from(io::Acceptor& acceptor) {
  constexpr Duration kPause = 20ms;
  for (;;) {
    // Full: whoever comes waits in the system's backlog, which is kinder than an error.
    while (on_.counters.connections.load(std::memory_order_relaxed) >= on_.limits().connections_max)
      co_await io::sleep_for(on_.loop, kPause);
    Result<io::Accepted> accepted = co_await acceptor.accept();
    if (!accepted) {
      log::warn("cannot accept a connection", {{"error", accepted.error().context}});
      co_await io::sleep_for(on_.loop, kPause);
      continue;
    }
    connections_.spawn(serve(std::move(*accepted)));
  }
}

io::Task<void> Listener::serve(io::Accepted accepted) {
  Connection connection(on_, std::move(accepted));
  const Registration open(open_, connection);
  co_await connection.serve();
}

io::Task<void> Listener::drain(TimePoint deadline) {
  accepting_.cancel_all();
  acceptors_.clear();
  on_.draining = true;
  for (Connection* c : open_) c->end_if_idle();
  while (connections_.running() > 0 && on_.loop.now() < deadline) co_await io::sleep_for(on_.loop, 5ms);
  connections_.cancel_all();
}

void Listener::cut() {
  accepting_.cancel_all();
  connections_.cancel_all();
}

}  // namespace stateway::gateway
