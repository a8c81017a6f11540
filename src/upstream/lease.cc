#include "upstream/lease.h"

#include <algorithm>

#include "upstream/service_on_loop.h"

namespace stateway::upstream {

bool Attempts::has_tried(const Instance& instance, std::uint64_t generation) const {
  const std::size_t known = std::min<std::size_t>(made_, kRemembered);
  for (std::size_t i = 0; i < known; ++i)
    if (tried_[i].instance == &instance && tried_[i].generation == generation) return true;
  return false;
}

void Attempts::add(const Instance& instance, std::uint64_t generation) {
  tried_[made_++ % kRemembered] = {&instance, generation};
}

Lease::~Lease() {
  if (owner_ == nullptr) return;
  instance_->leave();
  owner_->released();
}

std::unique_ptr<Connection> Lease::take_idle() {
  return owner_->take_idle(*instance_, instance_->status().generation);
}

io::Task<Result<std::unique_ptr<Connection>>> Lease::connect(bool fresh) {
  return owner_->connect(instance_, fresh);
}

void Lease::give_back(std::unique_ptr<Connection> connection) {
  if (Pool* pool = owner_->pool_of(*instance_))
    pool->put(std::move(connection), instance_->status().generation);
}

void Lease::report(Outcome outcome) {
  if (outcome == Outcome::failed) instance_->request_failed();
  owner_->judge(*instance_, generation_, outcome);
}

}  // namespace stateway::upstream
