// Which commits this gateway has made that the store has not, or may lose: by session, in order.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/outage/journal.h"

namespace stateway::store::outage {

/// A commit whose entry is in the journal.
struct Item {
  CommitId id;      // of one that the store acknowledged maybe nobody's
  std::string key;  // of its first write
  Journal::At at;
  std::uint64_t moment = 0;   // when it was acknowledged, in the order of Overlay::set
  WallMillis since = 0;       // the same by the clock
  Revision revision = 0;      // of its first write's record
  WallMillis expires_at = 0;  // of that record
  bool ends = false;
  bool erases = false;
};
Item item_of(const Batch& batch, const Journal::At& at, std::uint64_t moment, WallMillis since);

/// Items by tag (store/batch.h). A tag with pending items is served from this machine. Thread-safe.
class Backlog {
 public:
  /// `partition`: of a tag (StateStore::partition). Thread-safe; called under the lock.
  using Partition = std::function<std::size_t(std::string_view tag)>;
  Backlog(Journal& journal, Partition partition) : journal_(journal), partition_(std::move(partition)) {}

  bool has_pending(std::string_view tag) const;
  /// Behind those of that tag. `then()` is called under the lock: nothing of the tag comes or goes meanwhile.
  void add_pending(std::string_view tag, Item item, const std::function<void()>& then);
  /// Calls `then()` under the lock, unless something of that tag is pending.
  void unless_pending(std::string_view tag, const std::function<void()>& then) const;
  std::optional<Item> first_pending(std::string_view tag) const;
  /// The first pending one is in the store and kept from now on, or dropped. `then(last)` is called under the
  /// lock.
  struct Settled {
    bool keep = true;
    std::uint64_t moment = 0;
    WallMillis now = 0;
    std::uint64_t epoch = 0;  // in which the store took it
  };
  void settle_first(std::string_view tag, const Settled& how, const std::function<void(bool last)>& then);
  std::size_t pending() const;

  /// A tag with pending items that `wanted` and that nobody has claimed; nullopt: none. To be given back.
  std::optional<std::string> claim(const std::function<bool(const std::string&)>& wanted);
  /// That tag, or false: somebody else has it, or nothing is pending.
  bool claim(const std::string& tag);
  void give_back(const std::string& tag);

  /// What the store has acknowledged, in that epoch.
  void keep(std::string_view tag, Item item, std::optional<std::uint64_t> epoch);
  /// Those kept before `moment`, in order, from the last one that erased something on.
  std::vector<Item> kept(std::string_view tag, std::uint64_t moment) const;
  /// Whether a record that was asked for at `moment` (nullopt: there is none) lacks what was acknowledged
  /// before that.
  bool lacks(const std::string& key, const std::optional<Record>& record, std::uint64_t moment,
             WallMillis now) const;
  /// The store is not to get that one any more.
  void disregard(std::string_view tag, const Item& item);
  /// Forgets what was kept before `until`, which leaves the journal's files, but for partitions that
  /// `spared`.
  void forget_kept(WallMillis until, const std::function<bool(std::size_t)>& spared);
  std::size_t kept() const;

  /// Whether the store of that epoch has all that was kept of the tag.
  bool is_checked(std::string_view tag, std::uint64_t epoch) const;
  void set_checked(std::string_view tag, std::uint64_t epoch);
  /// With something kept that was not checked against that epoch.
  std::vector<std::string> unchecked(std::uint64_t epoch) const;

 private:
  struct Session {
    std::deque<Item> pending, kept;
    bool claimed = false;
    std::optional<std::uint64_t> checked{};  // epoch
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };
  using Sessions = std::unordered_map<std::string, Session, Hash, std::equal_to<>>;
  struct Kept {  // the oldest of its tag
    std::string tag;
    WallMillis since = 0;
  };

  void keep_locked(Session& session, std::string_view tag, Item item, std::optional<std::uint64_t> epoch);
  void drop_if_empty(Sessions::iterator at);

  Journal& journal_;
  const Partition partition_;
  mutable std::mutex mutex_;
  Sessions sessions_;
  std::deque<std::string>
      waiting_;  // tags with pending items that are not claimed; some twice, some outdated
  std::map<std::size_t, std::deque<Kept>> oldest_kept_first_;  // by partition
  std::size_t pending_ = 0;
};

}  // namespace stateway::store::outage
