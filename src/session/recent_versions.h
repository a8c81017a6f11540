// The last versions of sessions that live in their cookies, as far as this process made them: the cookie of
// an exchange that overlapped with another one yields to them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/recent.h"
#include "session/record.h"
#include "store/store.h"

namespace stateway::session {

/// Tells a version from another one of the same number, which another gateway made.
struct VersionMark {
  VersionMark(store::Revision v, std::string_view document)
      : version(v), hash(std::hash<std::string_view>{}(document)) {}

  store::Revision version;
  std::uint64_t hash;  // of its document

  bool operator==(const VersionMark&) const = default;
};

struct RecentVersion {
  store::Revision version = 0;
  WallMillis idle_expires = 0;  // from then on no cookie opens the session, unless a newer one is sealed
  std::string principal;
  SessionRecord record;
  std::vector<VersionMark> line =
      {};  // what it was made from, and itself at the end: the last few; filled by keep
};
using RecentVersionPtr = std::shared_ptr<const RecentVersion>;

/// Keeps each version for kKept; one that overlapped with another exchange until its cookie has come back,
/// since nobody knows in which order the client stores the cookies it is sent. Bounded: half of the octets
/// are for those that overlapped, so that the others do not push them out. Thread-safe.
class RecentVersions {
 public:
  static constexpr WallMillis kKept = 60'000;

  explicit RecentVersions(std::size_t bytes_max) : settled_(bytes_max / 2), overlapped_(bytes_max / 2) {}

  /// What is kept of the session; nullptr: nothing. `brought` is the version that its client holds,
  /// `document` that version's; nullopt: it is not known. Where what is kept was not made from it, the client
  /// has been elsewhere, and has a cookie that was stored later than any of ours: then what is kept is
  /// forgotten.
  RecentVersionPtr find(std::string_view id, store::Revision brought, WallMillis now,
                        std::optional<std::string_view> document = std::nullopt);
  /// The same, when nobody says anew what the client holds.
  RecentVersionPtr latest(std::string_view id, WallMillis now) const;
  /// Keeps `version`, made from `from`, in place of the one before. `overlapped`: somebody holds, or is being
  /// sent, another one than it was made from.
  void keep(std::string_view id, RecentVersion version, const VersionMark& from, bool overlapped,
            WallMillis now);
  void forget(std::string_view id);

  std::size_t size() const { return settled_.size() + overlapped_.size(); }
  std::size_t bytes() const { return settled_.bytes() + overlapped_.bytes(); }
  /// Forgotten before their time, for want of room.
  std::uint64_t evicted() const { return settled_.evicted() + overlapped_.evicted(); }

 private:
  using Table = Recent<RecentVersionPtr>;
  void keep_overlapped(std::string_view id, const RecentVersionPtr& version, WallMillis now);

  // A session is in one of them. Whoever moves it holds the lock of its place in settled_ meanwhile.
  Table settled_, overlapped_;
};

}  // namespace stateway::session
