// Stores with mistakes, between a gateway and its store: what the soak must find.
#pragma once

#include <optional>
#include <string>

#include "io/sim/faults.h"
#include "io/task_group.h"
#include "store/store.h"
#include "world.h"

namespace stateway::sim {

/// Passes everything on but for its one mistake.
class Planted final : public store::StateStore {
 public:
  Planted(store::StateStore& inner, Bug bug, Random& random) : inner_(inner), bug_(bug), random_(random) {}

  io::Task<Result<std::optional<store::Record>>> load(io::Loop& loop, std::string key) override;
  io::Task<Result<store::Committed>> commit(io::Loop& loop, store::Batch batch) override;
  void touch(io::Loop& loop, std::string_view key, WallMillis expires_at) override {
    inner_.touch(loop, key, expires_at);
  }
  io::Task<Result<std::vector<store::Entry>>> list(io::Loop& loop, store::Query query) override {
    return inner_.list(loop, std::move(query));
  }
  io::Task<Result<std::size_t>> sweep(io::Loop& loop, std::size_t most) override {
    return inner_.sweep(loop, most);
  }
  store::Stats stats() const override { return inner_.stats(); }
  void set_sessions_max(std::uint64_t most) override { inner_.set_sessions_max(most); }

 private:
  io::Task<void> commit_later(io::Loop& loop, store::Batch batch);

  store::StateStore& inner_;
  const Bug bug_;
  Random& random_;
  std::string last_document_;
  io::TaskGroup late_;
};

}  // namespace stateway::sim
