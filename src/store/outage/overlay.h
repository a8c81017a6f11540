// What this gateway knows of the sessions it met: what it serves while their store is away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/recent.h"
#include "store/store.h"

namespace stateway::store::outage {

/// The last record known of each key, or that there was none. Bounded; what was used longest ago goes first,
/// but never a record with pending intents. Whoever asks for keys that do not exist pushes out only others
/// that do not exist. Thread-safe.
class Overlay {
 public:
  /// `bytes_max`: of all that is kept, beside what is pending.
  explicit Overlay(std::size_t bytes_max)
      : known_(bytes_max / kParts * (kParts - 1)), absent_(bytes_max / kParts) {}

  struct Known {
    bool known = false;
    std::optional<Record> record{};  // nullopt: there is none
  };
  /// A record that has expired is not known any more, since others may have moved its expiry.
  Known find(std::string_view key, WallMillis now) const;

  /// What the store has said, asked at `began`: a moment in the order of `set`. Ignored where more was set
  /// meanwhile.
  void learn(std::string_view key, const std::optional<Record>& record, std::uint64_t began);
  /// What was committed, or found, at the moment `at`. `pending`: not in the store.
  void set(std::string_view key, std::optional<Record> record, std::uint64_t at, bool pending);
  /// A later expiry. False: the key is not known.
  bool touch(std::string_view key, WallMillis expires_at, WallMillis now);

  void forget(std::string_view key) { known_.forget(key); }

  std::size_t size() const { return known_.size() + absent_.size(); }
  std::size_t bytes() const { return known_.bytes() + absent_.bytes(); }
  std::uint64_t evicted() const { return known_.evicted(); }

 private:
  static constexpr std::size_t kParts = 8;  // one of them for what does not exist
  static constexpr TimePoint kAlways = TimePoint::max();

  struct Value {
    std::shared_ptr<const Record> record;  // null: there is none
    WallMillis expires_at = 0;
    std::uint64_t changed = 0;
    bool pending = false;
    bool in_use() const { return pending; }
  };
  struct Absent {};
  static Recent<Value>::Terms terms(const Value& value);

  Recent<Value> known_;
  Recent<Absent> absent_;
};

}  // namespace stateway::store::outage
