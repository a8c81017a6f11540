// [store] on_outage = "journal": a store of other machines that may be away. docs/guides/outages.md says what
// it promises, docs/decisions/0014-outage-journal.md why it is like that.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "base/random.h"
#include "store/outage/reconciler.h"
#include "store/store.h"

namespace stateway::store::outage {

/// In front of an `inner` store. While that, or the server that has a key, is away:
/// - load: what this gateway knows (Overlay); else store_unavailable;
/// - commit: of what it knows, and of records that begin: written to the journal, then Committed::local; of
///   what needs_store: store_unavailable. Conditions are judged on what is known here;
/// - leases are taken at this gateway;
/// - list: store_unavailable.
/// No operation that could be served so fails because it was the one that found out. Commits of a session
/// must come one after the other, as their ids do; those without an id get one where they are kept here.
///
/// What is kept here of a session goes to the store before anything else of it does, and until then it is
/// served from here. What the store acknowledged and has not any more is applied again before it is served.
class OutageStore final : public StateStore, private Leases {
 public:
  struct Options {
    LocalOptions local;
    Pace pace{};
  };
  /// Blocks: reads the journal. Errors: those of Journal::open. What is handed in by reference must outlive
  /// the store.
  static Result<std::unique_ptr<OutageStore>> open(std::unique_ptr<StateStore> inner, const WallClock& clock,
                                                   Random& random, const Remaker& remaker,
                                                   const Options& options);
  ~OutageStore() override;

  io::Task<Result<std::optional<Record>>> load(io::Loop& loop, std::string key) override;
  io::Task<Result<Committed>> commit(io::Loop& loop, Batch batch) override;
  void touch(io::Loop& loop, std::string_view key, WallMillis expires_at) override;
  io::Task<Result<std::vector<Entry>>> list(io::Loop& loop, Query query) override;
  /// Nothing while the store is away.
  io::Task<Result<std::size_t>> sweep(io::Loop& loop, std::size_t most) override;
  Stats stats() const override;
  void set_sessions_max(std::uint64_t most) override { inner_->set_sessions_max(most); }
  /// The first loop looks after the store: its detach ends that.
  void attach(io::Loop& loop, io::Network& network) override;
  void detach(io::Loop& loop) override;
  Leases* leases() override { return inner_->leases() == nullptr ? nullptr : this; }
  std::uint64_t epoch() const override { return inner_->epoch(); }
  std::size_t partition(std::string_view key) const override { return inner_->partition(key); }
  bool wants_intents() const override { return true; }

 private:
  class Intent;
  class Acknowledged;

  OutageStore(std::unique_ptr<StateStore> inner, std::unique_ptr<Local> local, Random& random,
              const Pace& pace);
  Result<std::optional<Record>> known(std::string_view key) const;
  io::Task<Result<Committed>> commit_to_store(io::Loop& loop, const Batch& batch);
  io::Task<Result<Committed>> commit_here(io::Loop& loop, Batch batch);
  io::Task<void> keep(io::Loop& loop, Batch batch, std::uint64_t epoch);
  io::Task<void> write_kept(io::Loop& loop, Batch batch, std::optional<std::uint64_t> epoch);
  io::Task<bool> is_repeat(io::Loop& loop, Batch batch);

  io::Task<Result<std::uint64_t>> take(io::Loop& loop, std::string key, Duration ttl) override;
  void extend(io::Loop& loop, std::string_view key, std::uint64_t token, Duration ttl) override;
  void give_back(io::Loop& loop, std::string_view key, std::uint64_t token) override;

  const std::unique_ptr<StateStore> inner_;
  const std::unique_ptr<Local> local_;
  const std::uint64_t gateway_;  // of commits that come without an id
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> leases_{0};  // taken here
  io::Loop* home_ = nullptr;
  Reconciler reconciler_;
};

}  // namespace stateway::store::outage
