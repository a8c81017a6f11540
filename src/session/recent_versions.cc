#include "session/recent_versions.h"

#include <algorithm>
#include <chrono>
#include <optional>

namespace stateway::session {
namespace {

TimePoint point(WallMillis at) { return TimePoint(std::chrono::milliseconds(at)); }

std::size_t octets(const RecentVersion& v) {
  return sizeof(RecentVersion) + v.principal.size() + v.record.document.size();
}

template <class Table>
std::optional<typename Table::Terms> for_a_while(const RecentVersion& v, WallMillis now) {
  return typename Table::Terms{octets(v), point(std::min(v.idle_expires, now + RecentVersions::kKept))};
}

}  // namespace

void RecentVersions::keep_overlapped(std::string_view id, const RecentVersionPtr& version, WallMillis now) {
  overlapped_.keep(id, version, {octets(*version), point(version->idle_expires)}, point(now));
}

RecentVersionPtr RecentVersions::latest(std::string_view id, WallMillis now) const {
  return settled_.find_or(id, point(now), [&] { return overlapped_.find(id, point(now)); }).value_or(nullptr);
}

RecentVersionPtr RecentVersions::find(std::string_view id, store::Revision brought, WallMillis now) {
  bool settled = true;
  const auto look_there = [&] {
    settled = false;
    return overlapped_.find(id, point(now));
  };
  RecentVersionPtr found = settled_.find_or(id, point(now), look_there).value_or(nullptr);
  if (!found || settled == (brought >= found->version)) return found;
  settled_.change(id, point(now), [&](RecentVersionPtr& kept) -> std::optional<Table::Terms> {
    if (!kept) kept = overlapped_.find(id, point(now)).value_or(nullptr);
    if (!kept) return std::nullopt;
    found = kept;
    if (brought < kept->version) {
      keep_overlapped(id, kept, now);
      return std::nullopt;
    }
    overlapped_.forget(id);
    return for_a_while<Table>(*kept, now);
  });
  return found;
}

void RecentVersions::keep(std::string_view id, RecentVersion version, bool overlapped, WallMillis now) {
  const auto next = std::make_shared<const RecentVersion>(std::move(version));
  settled_.change(id, point(now), [&](RecentVersionPtr& kept) -> std::optional<Table::Terms> {
    // When the one before overlapped, its cookie has not come back either.
    if (overlapped || overlapped_.find(id, point(now))) {
      keep_overlapped(id, next, now);
      return std::nullopt;
    }
    kept = next;
    return for_a_while<Table>(*next, now);
  });
}

void RecentVersions::forget(std::string_view id) {
  settled_.change(id, TimePoint(), [&](RecentVersionPtr&) -> std::optional<Table::Terms> {
    overlapped_.forget(id);
    return std::nullopt;
  });
}

}  // namespace stateway::session
