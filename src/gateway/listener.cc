#include "gateway/listener.h"

#include <algorithm>

#include "base/log.h"
#include "gateway/connection.h"

namespace stateway::gateway {

namespace {

constexpr Duration kPause = 20ms;

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

Listener::~Listener() { cut(); }

void Listener::listen(std::unique_ptr<io::Acceptor> acceptor, std::shared_ptr<const io::TlsServer> tls) {
  doors_.push_back(std::make_shared<Door>());
  const std::shared_ptr<Door>& door = doors_.back();
  door->acceptor = std::move(acceptor);
  door->tls = std::move(tls);
  door->accepting.spawn(accept_from(*door));
}

io::Task<void> Listener::accept_from(Door& door) {
  for (;;) {
    // Full: whoever comes waits in the system's backlog, which is kinder than an error.
    while (on_.counters.connections.load(std::memory_order_relaxed) >= on_.limits().connections_max)
      co_await io::sleep_for(on_.loop, kPause);
    Result<io::Accepted> accepted = co_await door.acceptor->accept();
    if (!accepted) {
      note_failure(accepted.error());
      co_await io::sleep_for(on_.loop, kPause);
      continue;
    }
    connections_.spawn(serve(std::move(*accepted), door.shared_from_this()));
  }
}

void Listener::note_failure(const Error& error) {
  ++failures_;
  if (on_.loop.now() < complain_from_) return;
  log::warn("cannot accept connections", {{"error", error.context}, {"times", failures_}});
  complain_from_ = on_.loop.now() + kComplainEvery;
  failures_ = 0;
}

io::Task<void> Listener::serve(io::Accepted accepted, std::shared_ptr<Door> door) {
  Connection connection(on_, std::move(accepted), door->tls.get());
  const Registration open(door->open, connection);
  co_await connection.serve();
}

void Listener::shut(Door& door) {
  door.accepting.cancel_all();
  door.acceptor.reset();
  for (Connection* c : door.open) c->leave();
}

std::vector<std::shared_ptr<Listener::Door>>::iterator Listener::door_of(const io::Acceptor& acceptor) {
  const auto door =
      std::ranges::find_if(doors_, [&](const auto& d) { return d->acceptor.get() == &acceptor; });
  CHECK(door != doors_.end());
  return door;
}

void Listener::set_tls(const io::Acceptor& acceptor, std::shared_ptr<const io::TlsServer> tls) {
  (*door_of(acceptor))->tls = std::move(tls);
}

void Listener::close(const io::Acceptor& acceptor) {
  const auto door = door_of(acceptor);
  shut(**door);
  doors_.erase(door);  // its connections keep it
}

io::Task<void> Listener::drain(TimePoint deadline) {
  for (const auto& door : doors_) shut(*door);
  doors_.clear();
  while (connections_.running() > 0 && on_.loop.now() < deadline) co_await io::sleep_for(on_.loop, 5ms);
  connections_.cancel_all();
}

void Listener::cut() {
  for (const auto& door : doors_) door->accepting.cancel_all();
  connections_.cancel_all();
}

}  // namespace stateway::gateway
