// The one store that sessions know, behind which a reload puts another one.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "store/leases.h"
#include "store/store.h"

namespace stateway::store {

/// Hands every call to the store in force. A call that was under way in the one before ends there: a commit
/// as it ends, a read is made again, since what it found may have moved meanwhile. Records that have moved on
/// to a store that is not named here (moved_on.h) are refused: load says store_unavailable.
/// `attach` and `detach` are the owner's, for each store by itself.
class Switch final : public StateStore, private Leases {
 public:
  explicit Switch(std::shared_ptr<StateStore> first);
  ~Switch() override;

  /// All calls that begin from now on go to `next`. Any thread, one at a time.
  void use(std::shared_ptr<StateStore> next);
  /// Whether no call is under way in a store from before the last `use`; then those are let go, here and now.
  /// Any thread, one at a time with `use`.
  bool settled();

  io::Task<Result<std::optional<Record>>> load(io::Loop& loop, std::string key) override;
  io::Task<Result<Committed>> commit(io::Loop& loop, Batch batch) override;
  void touch(io::Loop& loop, std::string_view key, WallMillis expires_at) override;
  io::Task<Result<std::vector<Entry>>> list(io::Loop& loop, Query query) override;
  io::Task<Result<std::size_t>> sweep(io::Loop& loop, std::size_t most) override;
  Stats stats() const override;
  void set_sessions_max(std::uint64_t most) override;
  std::unique_ptr<Moment> moment() override;
  void note_left(std::uint64_t records) override;
  /// Those of the store in force. A commit with a lease that was taken before a switch to other leases takes
  /// one there: lease_lost if somebody has it, or has committed since. Tokens are this switch's own: above
  /// those of the store stands which leases they are of.
  Leases* leases() override;
  std::uint64_t epoch() const override;
  bool wants_intents() const override;
  std::size_t partition(std::string_view key) const override;

 private:
  struct Generation;
  class Use;

  io::Task<Result<std::uint64_t>> take(io::Loop& loop, std::string key, Duration ttl) override;
  void extend(io::Loop& loop, std::string_view key, std::uint64_t token, Duration ttl) override;
  void give_back(io::Loop& loop, std::string_view key, std::uint64_t token) override;
  static io::Task<Result<Committed>> commit_with_new_lease(io::Loop& loop, StateStore& store, Batch batch);
  static io::Task<Result<void>> take_back(io::Loop& loop, StateStore& store, std::string key,
                                          const Record& mark);

  std::vector<std::unique_ptr<Generation>> generations_;  // all of them, few; the last is in force
  std::atomic<Generation*> current_;
};

}  // namespace stateway::store
