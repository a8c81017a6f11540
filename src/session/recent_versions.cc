#include "session/recent_versions.h"

#include <algorithm>
#include <chrono>
#include <optional>

namespace stateway::session {
namespace {

TimePoint point(WallMillis at) { return TimePoint(std::chrono::milliseconds(at)); }

std::size_t octets(const RecentVersion& v) {
  return sizeof(RecentVersion) + v.principal.size() + v.record.document.size() +
         v.line.size() * sizeof(VersionMark);
}

// Older versions than a line has marks of count as its own.
constexpr std::size_t kMarksMax = 16;

// Whether `kept` is not what became of this copy of an older version.
bool is_fork(const RecentVersion& kept, store::Revision brought, std::string_view document) {
  if (brought >= kept.version || brought < kept.line.front().version) return false;
  return std::ranges::find(kept.line, VersionMark(brought, document)) == kept.line.end();
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

RecentVersionPtr RecentVersions::find(std::string_view id, store::Revision brought, WallMillis now,
                                      std::optional<std::string_view> document) {
  bool settled = true;
  const auto look_there = [&] {
    settled = false;
    return overlapped_.find(id, point(now));
  };
  RecentVersionPtr found = settled_.find_or(id, point(now), look_there).value_or(nullptr);
  const auto forked = [&] { return document && is_fork(*found, brought, *document); };
  if (!found || (settled == (brought >= found->version) && !forked())) return found;
  settled_.change(id, point(now), [&](RecentVersionPtr& kept) -> std::optional<Table::Terms> {
    if (!kept) kept = overlapped_.find(id, point(now)).value_or(nullptr);
    if (!kept) return std::nullopt;
    found = kept;
    if (forked()) {
      found = nullptr;
      overlapped_.forget(id);
      return std::nullopt;
    }
    if (brought < kept->version) {
      keep_overlapped(id, kept, now);
      return std::nullopt;
    }
    overlapped_.forget(id);
    return for_a_while<Table>(*kept, now);
  });
  return found;
}

void RecentVersions::keep(std::string_view id, RecentVersion version, const VersionMark& from,
                          bool overlapped, WallMillis now) {
  settled_.change(id, point(now), [&](RecentVersionPtr& kept) -> std::optional<Table::Terms> {
    const RecentVersionPtr pending = kept ? nullptr : overlapped_.find(id, point(now)).value_or(nullptr);
    const RecentVersionPtr& before = kept ? kept : pending;
    version.line.assign(1, from);
    if (before && before->line.back() == from) version.line = before->line;
    const VersionMark own(version.version, version.record.document);
    if (version.line.back() != own) version.line.push_back(own);
    if (version.line.size() > kMarksMax) version.line.erase(version.line.begin());
    const auto next = std::make_shared<const RecentVersion>(std::move(version));
    // When the one before overlapped, its cookie has not come back either.
    if (overlapped || pending) {
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
