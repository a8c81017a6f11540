#include "store/moved_on.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace stateway::store {
namespace {

constexpr char kMark = '\0';
constexpr std::size_t kHeadBytes = 2;  // the mark and the state that the record had

}  // namespace

bool has_moved_on(const Record& record) {
  return record.state == State::moved && !record.value.empty() && record.value.front() == kMark;
}

Record carrying_mark(const Record& record) {
  Record mark = record;
  ++mark.revision;
  mark.state = State::moved;
  const char head[kHeadBytes] = {kMark, static_cast<char>(record.state)};
  mark.value.insert(0, head, kHeadBytes);
  return mark;
}

std::optional<Record> carried_by(const Record& mark) {
  CHECK(has_moved_on(mark));
  if (mark.value.size() < kHeadBytes || mark.value[1] < 0 || mark.value[1] > static_cast<char>(State::ended))
    return std::nullopt;
  Record record = mark;
  --record.revision;
  record.state = static_cast<State>(mark.value[1]);
  record.value.erase(0, kHeadBytes);
  return record;
}

Record empty_mark(Revision revision, WallMillis expires_at) {
  Record mark;
  mark.revision = revision;
  mark.state = State::moved;
  mark.expires_at = expires_at;
  mark.value.assign(1, kMark);
  return mark;
}

io::Task<Result<std::vector<Entry>>> list_sessions(io::Loop& loop, StateStore& store, Query query) {
  std::vector<Entry> out;
  const std::size_t wanted = query.limit;
  while (out.size() < wanted) {
    query.limit = wanted - out.size();
    Query page = query;
    auto listed = co_await store.list(loop, std::move(page));
    if (!listed) co_return pass_on(std::move(listed));
    const bool more = listed->size() == query.limit;
    if (more) query.after = listed->back().key;
    for (Entry& entry : *listed) {
      if (has_moved_on(entry.record)) {
        auto carried = carried_by(entry.record);
        if (!carried) continue;
        entry.record = std::move(*carried);
      }
      out.push_back(std::move(entry));
    }
    if (!more) break;
  }
  co_return out;
}

}  // namespace stateway::store
