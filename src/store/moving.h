// Two stores as one while sessions move from the previous one to the next ([store.previous]).
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

#include "store/store.h"

namespace stateway::store {

/// A record moves when its session is used, or when somebody asks for it, by three steps:
///   1. in the previous store a mark takes its place and carries it (moved_on.h): one conditional write,
///   which
///      decides against every commit that is in flight there;
///   2. the next store gets it, if it has none: same revision, state, expiry, principal and applied commits;
///   3. the mark gives way: to an empty one where other gateways may use the previous store, else to nothing.
/// Only after the third step is the record read, or committed to, in the next store. Each step can be
/// repeated by anybody who finds it undone, so a crash or a second gateway at any point costs nothing; and
/// since whoever serves a record has ended its move, nobody can bring an old one back when the new one has
/// expired. A commit that was meant for the previous store meets the mark and conflicts; the caller loads,
/// and follows. Where the previous store is shared, a session that begins leaves an empty mark there first,
/// so that gateways which do not know the next store refuse it too.
class MovingStore final : public StateStore {
 public:
  /// `sessions_max`: of both together. The previous store takes marks without limit from here on.
  /// `known_as_two`: somebody has made sure that they are not one store under two names. Otherwise this does,
  /// before it writes anything; if they are one, whatever would move is refused (store_unavailable).
  MovingStore(std::shared_ptr<StateStore> next, std::shared_ptr<StateStore> previous,
              std::uint64_t sessions_max, bool known_as_two = false);

  /// Moves the record of this key if the previous store has one. True: it had, and the next one has it.
  /// Errors: those of either store; store_unavailable also when others were always faster.
  io::Task<Result<bool>> bring(io::Loop& loop, std::string key);

  struct Progress {
    std::uint64_t seen = 0;   // of the previous store's records
    std::uint64_t moved = 0;  // of these; somebody else may have moved others meanwhile
  };
  /// Moves all that the previous store has left, page by page, each followed by a pause of `pause_share`
  /// times its own time. Can be broken off and begun again at any time. Errors: those of `bring`.
  io::Task<Result<void>> bring_rest(io::Loop& loop, Progress& progress, int pause_share);

  io::Task<Result<std::optional<Record>>> load(io::Loop& loop, std::string key) override;
  io::Task<Result<Committed>> commit(io::Loop& loop, Batch batch) override;
  void touch(io::Loop& loop, std::string_view key, WallMillis expires_at) override;
  io::Task<Result<std::vector<Entry>>> list(io::Loop& loop, Query query) override;
  io::Task<Result<std::size_t>> sweep(io::Loop& loop, std::size_t most) override;
  /// The next store's, and what is known of the previous one.
  Stats stats() const override;
  void set_sessions_max(std::uint64_t most) override;
  void attach(io::Loop& loop, io::Network& network) override;
  void detach(io::Loop& loop) override;
  Leases* leases() override { return next_->leases(); }
  std::uint64_t epoch() const override { return next_->epoch(); }
  bool wants_intents() const override { return next_->wants_intents(); }
  std::size_t partition(std::string_view key) const override { return next_->partition(key); }

  void note_left(std::uint64_t records) override { left_.store(records, std::memory_order_relaxed); }

 private:
  /// Keys of which the previous store has but an empty mark, some of them: spares looking again.
  class Settled {
   public:
    bool contains(const std::string& key) const;
    void add(const std::string& key);

   private:
    static constexpr std::size_t kShards = 16;
    static constexpr std::size_t kKeysMax = 8192;  // of a shard's halves; keys have 12 octets
    struct alignas(64) Shard {
      mutable std::mutex mutex;
      std::unordered_set<std::string> young, old;
    };
    static std::size_t index_of(const std::string& key) { return std::hash<std::string>{}(key) % kShards; }
    std::array<Shard, kShards> shards_;
  };

  enum class Found : std::uint8_t { nothing, mark, moved };
  io::Task<Result<Found>> settle(io::Loop& loop, const std::string& key);
  io::Task<Result<void>> make_sure_they_are_two(io::Loop& loop, WallMillis expires_at);
  io::Task<Result<void>> create(io::Loop& loop, const std::string& key, const Record& record);
  io::Task<Result<void>> replace_mark(io::Loop& loop, const std::string& key, const Record& mark,
                                      const Record& coming);
  io::Task<Result<void>> give_way(io::Loop& loop, const std::string& key, const Record& mark);
  io::Task<Result<void>> begin_here(io::Loop& loop, const std::string& key, WallMillis expires_at);
  std::uint64_t left() const;
  bool full() const;

  const std::shared_ptr<StateStore> next_;
  const std::shared_ptr<StateStore> previous_;
  const bool shared_;  // the previous one: other gateways may use it
  std::atomic<bool> known_as_two_;
  std::atomic<std::uint64_t> sessions_max_;
  std::atomic<std::uint64_t> left_;
  std::atomic<std::uint64_t> moved_{0};
  Settled settled_;
};

}  // namespace stateway::store
