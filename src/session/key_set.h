// The keys of one gateway, or of several that share a file: which one seals, which ones open.
// docs/formats/keys.md has the file.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "session/seal.h"

namespace stateway::session {

struct Rotation;

/// What one key does.
struct KeyUse {
  enum class What : std::uint8_t {
    waits,    // published, and not sealing yet
    seals,    // and opens
    opens,    // another one seals in its place
    retired,  // opens nothing any more
  };
  What what;
  WallMillis since;  // it does so
  WallMillis until;  // it does something else; 0: nobody knows yet

  bool operator==(const KeyUse&) const = default;
};
/// "seals", …
std::string_view key_use_name(KeyUse::What what);

/// Immutable; never empty.
class KeySet {
 public:
  /// A new key seals only when every gateway that shares the file has had time to read it.
  static constexpr std::chrono::milliseconds kPublished{60'000};
  /// More is no file of ours.
  static constexpr std::size_t kKeysMax = 1000;

  /// Errors: invalid_argument, "line 3: …", never with a key in it.
  static Result<KeySet> parse(std::string_view text);
  std::string text() const;
  /// One key, as a first start makes it.
  static KeySet made(WallMillis now, Random& random);

  /// The key that seals at `now`: of those created at least kPublished ago the newest, or the oldest there
  /// is: a first key has nobody to wait for. Dies with the set.
  const SealKey& sealing(WallMillis now) const;
  /// The key of that id; nullptr when there is none. Dies with the set.
  const SealKey* find(KeyId id) const;
  /// Another key has sealed in its place for longer than `lifetime`, so nothing it sealed is still valid:
  /// what comes under it was made by somebody who stole it.
  bool retired(const SealKey& key, WallMillis now, std::chrono::milliseconds lifetime) const;

  /// What a key of this set does at `now`, where sessions live for `lifetime` at most.
  KeyUse use_of(const SealKey& key, WallMillis now, std::chrono::milliseconds lifetime) const;

  /// These keys and a new one, without those that are retired at `now`. Errors: invalid_argument, when there
  /// are kKeysMax that still open cookies.
  Result<Rotation> rotated(WallMillis now, std::chrono::milliseconds lifetime, Random& random) const;

  /// Oldest first.
  std::span<const SealKey> keys() const { return keys_; }
  bool operator==(const KeySet&) const = default;

 private:
  explicit KeySet(std::vector<SealKey> keys);

  std::vector<SealKey> keys_;  // oldest first
};

/// A set of keys after one more was added.
struct Rotation {
  KeySet keys;
  KeyId added;
  std::vector<KeyId> dropped{};  // oldest first
};

}  // namespace stateway::session
