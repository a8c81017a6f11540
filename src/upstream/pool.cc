#include "upstream/pool.h"

#include <algorithm>

namespace stateway::upstream {
namespace {

/// After a read that filled its buffer exactly nobody knows whether more is there; ask.
bool is_quiet(io::Stream& stream) {
  if (!stream.maybe_readable()) return true;
  char octet;
  return stream.try_read(std::span(&octet, 1)).state == io::Transfer::State::again;
}

}  // namespace

void Connection::on_hangup() {
  if (pool_ != nullptr) pool_->hung_up(*this);
}

Pool::Pool(io::Loop& loop, Duration idle_max, std::size_t connections_max)
    : Timer(loop.timers()), loop_(loop), idle_max_(idle_max), connections_max_(connections_max) {}

std::unique_ptr<Connection> Pool::take(std::uint64_t generation) {
  while (!idle_.empty()) {
    std::unique_ptr<Connection> connection = std::move(idle_.back());
    idle_.pop_back();
    connection->pool_ = nullptr;
    connection->stream_->set_hangup_listener(nullptr);
    if (connection->generation_ != generation || connection->expires_ <= loop_.now()) continue;
    if (connection->stream_->hung_up() || connection->stream_->maybe_readable()) continue;
    connection->reused_ = true;
    return connection;
  }
  return nullptr;
}

void Pool::put(std::unique_ptr<Connection> connection, std::uint64_t generation) {
  if (connection->generation_ != generation || connections_max_ == 0) return;
  if (!connection->reader_.empty() || connection->stream_->hung_up() || !is_quiet(*connection->stream_))
    return;
  if (idle_.size() >= connections_max_) idle_.erase(idle_.begin());
  connection->pool_ = this;
  connection->expires_ = loop_.now() + idle_max_;
  connection->stream_->set_hangup_listener(connection.get());
  idle_.push_back(std::move(connection));
  arm_for_oldest();
}

void Pool::keep_only(std::uint64_t generation) {
  std::erase_if(idle_, [generation](const auto& c) { return c->generation_ != generation; });
}

void Pool::hung_up(Connection& connection) {
  const auto it = std::ranges::find(idle_, &connection, [](const auto& c) { return c.get(); });
  connection.pool_ = nullptr;
  dead_.push_back(std::move(*it));
  idle_.erase(it);
  arm(loop_.now());
}

void Pool::on_timer() {
  dead_.clear();
  const TimePoint now = loop_.now();
  std::erase_if(idle_, [now](const auto& c) { return c->expires_ <= now; });
  arm_for_oldest();
}

void Pool::arm_for_oldest() {
  if (!dead_.empty())
    arm(loop_.now());
  else
    arm(idle_.empty() ? io::kNoDeadline : idle_.front()->expires_);
}

}  // namespace stateway::upstream
