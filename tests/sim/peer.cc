#include "peer.h"

#include <array>

namespace stateway::sim {

Peer::Peer(std::unique_ptr<io::Stream> stream, bool reads) : stream_(std::move(stream)) {
  if (reads) task_.spawn(read_along());
}

io::Task<void> Peer::send(std::string octets) { (void)co_await stream_->write_all(octets, io::kNoDeadline); }

io::Task<void> Peer::read_along() {
  std::array<char, 4096> buffer;
  for (;;) {
    const auto n = co_await stream_->read_some(buffer, io::kNoDeadline);
    broken_ = !n;
    ended_ = n && *n == 0;
    if (ended()) co_return;
    got_.append(buffer.data(), *n);
  }
}

Origin::Origin(io::SimHost& host, const Address& at, bool reads) : acceptor_(host.listen(at)), reads_(reads) {
  task_.spawn(accept());
}

io::Task<void> Origin::accept() {
  for (;;) {
    auto accepted = co_await acceptor_->accept();
    if (accepted) peers_.push_back(std::make_unique<Peer>(std::move(accepted->stream), reads_));
  }
}

Peer* Origin::asked() {
  for (auto peer = peers_.rbegin(); peer != peers_.rend(); ++peer)
    if (!(*peer)->got().empty()) return peer->get();
  return nullptr;
}

}  // namespace stateway::sim
