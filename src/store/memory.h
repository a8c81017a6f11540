// Session state in this process's memory: [store] kind = "memory", and a reference for other stores' tests.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "store/store.h"

namespace stateway::store {

/// Nothing survives the process. Every operation completes without suspending; `durable` is "visible".
class MemoryStore final : public StateStore, private Leases {
 public:
  /// `clock` must outlive the store.
  MemoryStore(const WallClock& clock, std::uint64_t records_max) : clock_(clock), records_max_(records_max) {}

  io::Task<Result<std::optional<Record>>> load(io::Loop& loop, std::string key) override;
  io::Task<Result<Committed>> commit(io::Loop& loop, Batch batch) override;
  void touch(io::Loop& loop, std::string_view key, WallMillis expires_at) override;
  io::Task<Result<std::vector<Entry>>> list(io::Loop& loop, Query query) override;
  io::Task<Result<std::size_t>> sweep(io::Loop& loop, std::size_t most) override;
  Stats stats() const override;
  void set_sessions_max(std::uint64_t most) override;
  Leases* leases() override { return this; }

 private:
  using Records = std::map<std::string, Record, std::less<>>;

  struct Lease {
    std::uint64_t token = 0;
    WallMillis until = 0;
  };

  io::Task<Result<std::uint64_t>> take(io::Loop& loop, std::string key, Duration ttl) override;
  void extend(io::Loop& loop, std::string_view key, std::uint64_t token, Duration ttl) override;
  void give_back(io::Loop& loop, std::string_view key, std::uint64_t token) override;
  std::map<std::string, Lease, std::less<>>::iterator find_lease(std::string_view key, std::uint64_t token);

  Result<Committed> apply(Batch batch);
  const Record* present(std::string_view key, WallMillis now) const;
  Result<void> check_conditions(const Batch& batch, WallMillis now);
  void put(std::string key, Record record);
  void erase(Records::iterator at);
  void unlist(const Records::value_type& entry);
  std::vector<Entry> list_of_principal(const Query& query, WallMillis now) const;

  const WallClock& clock_;
  mutable std::mutex mutex_;
  std::uint64_t records_max_;
  Records records_;
  std::uint64_t ended_ = 0;  // of these
  std::set<std::pair<WallMillis, std::string>> by_expiry_;
  std::set<std::pair<std::string, std::string>> by_principal_;
  std::map<std::string, Lease, std::less<>> leases_;
  std::uint64_t last_token_ = 0;
  Stats stats_{.kind = "memory", .durability = "memory"};
};

}  // namespace stateway::store
