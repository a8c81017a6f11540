#include "player.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "match.h"

namespace stateway::scenario {
namespace {

constexpr Duration kPatience = std::chrono::seconds(20);

io::ListenSocket listen_at(const Address& address) {
  auto socket = io::ListenSocket::open(address);
  CHECK(socket.has_value());
  return std::move(*socket);
}

std::string_view name_of(const Step& step) { return step.upstream ? "u" : "c"; }

}  // namespace

UpstreamPort::UpstreamPort(const Address& address) : socket_(listen_at(address)) {}

Raw UpstreamPort::accept(Duration patience) {
  pollfd p{.fd = socket_.fd(), .events = POLLIN, .revents = 0};
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
  const bool there = poll(&p, 1, static_cast<int>(ms)) > 0;
  return Raw(there ? accept4(socket_.fd(), nullptr, nullptr, SOCK_CLOEXEC) : -1, kPatience);
}

void Player::play(std::span<const Step> steps, const std::string& file) {
  file_ = file;
  if (run(steps)) expect_nothing_more();
}

bool Player::failed(const Step& step, std::string_view what) {
  ADD_FAILURE_AT(file_.c_str(), step.line) << what;
  return false;
}

bool Player::run(std::span<const Step> steps) {
  for (const Step& step : steps) {
    if (!run(step)) return false;
    if (testing::Test::HasFailure()) return failed(step, "here");
  }
  return true;
}

Player::Peer* Player::peer_of(const Step& step) {
  std::map<unsigned, Peer>& peers = step.upstream ? upstreams_ : clients_;
  Peer& peer = peers[step.connection];
  if (peer.raw == nullptr) {
    if (step.connection > 1 && step.upstream && !peers.contains(step.connection - 1)) return nullptr;
    peer.raw = std::make_unique<Raw>(step.upstream ? upstream_.accept(kPatience) : Raw(gateway_, kPatience));
  }
  return peer.raw->connected() ? &peer : nullptr;
}

bool Player::run(const Step& step) {
  if (step.kind == Step::Kind::repeat) {
    for (std::size_t i = 0; i < step.times; ++i)
      if (!run(step.steps)) return failed(step, fmt::format("in round {}", i + 1));
    return true;
  }
  Peer* peer = peer_of(step);
  if (peer == nullptr) return failed(step, step.upstream ? "the gateway did not connect" : "cannot connect");
  switch (step.kind) {
    case Step::Kind::send:
      if (step.ends)
        peer->raw->send_last(step.octets);
      else if (!peer->raw->send(step.octets))
        return failed(step, "the gateway took no more");
      return true;
    case Step::Kind::get:
      return get(step, *peer);
    case Step::Kind::end:
      peer->raw->shutdown_write();
      return true;
    case Step::Kind::close:
      peer->raw->close();
      return true;
    case Step::Kind::reset:
      peer->raw->reset();
      return true;
    case Step::Kind::see_end:
    case Step::Kind::see_reset:
    case Step::Kind::see_over:
      return see_end(step, *peer);
    case Step::Kind::see_nothing:
      peer->unread += peer->raw->read_now();
      if (!peer->unread.empty()) return failed(step, "got " + shown(peer->unread));
      return !peer->raw->at_end() || failed(step, "saw the end");
    case Step::Kind::repeat:
      break;
  }
  return false;
}

bool Player::get(const Step& step, Peer& peer) {
  std::string seen;
  for (std::size_t i = 0; i < step.pieces.size(); ++i) {
    const Piece* next = i + 1 < step.pieces.size() ? &step.pieces[i + 1] : nullptr;
    Match found = match(step.pieces[i], next, peer.unread);
    while (found.needs_more) {
      const std::string more = peer.raw->read_some();
      if (more.empty()) found = {.why = peer.raw->was_reset() ? "then a reset" : "then the end"};
      peer.unread += more;
      if (!more.empty()) found = match(step.pieces[i], next, peer.unread);
    }
    if (!found.why.empty())
      return failed(
          step,
          fmt::format(
              "{} was to get\n      {}\n  but {}; it got, of this block,\n      {}\n  and then\n      {}",
              name_of(step), shown(step.pieces[i].text), found.why, shown(seen), shown(peer.unread)));
    seen += peer.unread.substr(0, found.octets);
    peer.unread.erase(0, found.octets);
  }
  return true;
}

bool Player::see_end(const Step& step, Peer& peer) {
  peer.unread += peer.raw->read_to_end();
  if (!peer.unread.empty())
    return failed(step,
                  fmt::format("{} was to see the end, but got\n      {}", name_of(step), shown(peer.unread)));
  const bool reset = step.kind == Step::Kind::see_reset;
  if (step.kind == Step::Kind::see_over) return true;
  if (peer.raw->was_reset() == reset) return true;
  return failed(step, reset ? "an end that is no reset" : "a reset in place of the end");
}

// What the script does not mention must not have happened.
void Player::expect_nothing_more() {
  const auto check = [this](std::string_view side, auto& peers) {
    for (auto& [number, peer] : peers) {
      if (peer.raw->connected()) peer.unread += peer.raw->read_now();
      if (!peer.unread.empty())
        ADD_FAILURE_AT(file_.c_str(), 1)
            << side << number << " got more than the script says:\n      " << shown(peer.unread);
    }
  };
  check("c", clients_);
  check("u", upstreams_);
  Raw other = upstream_.accept(Duration::zero());
  if (other.connected())
    ADD_FAILURE_AT(file_.c_str(), 1) << "one more connection to the upstream:\n      "
                                     << shown(other.read_now());
}

}  // namespace stateway::scenario
