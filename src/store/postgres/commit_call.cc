#include "store/postgres/commit_call.h"

#include <algorithm>
#include <vector>

#include "store/batch.h"
#include "store/postgres/statements.h"

namespace stateway::store::postgres {
namespace {

std::int64_t as_signed(std::uint64_t value) { return static_cast<std::int64_t>(value); }

// What usually happens: one record gets its next revision.
bool is_simple(const Batch& batch) {
  const Write& first = batch.writes.front();
  return batch.writes.size() == 1 && batch.lease == 0 && first.expected > 0 && first.record &&
         first.record->state != State::ended;
}

Values simple_values(const Batch& batch, WallMillis now, std::int64_t room) {
  const Write& write = batch.writes.front();
  Values values;
  values.number(now)
      .number(room)
      .number(as_signed(batch.id.gateway))
      .number(as_signed(batch.id.sequence))
      .octets(write.key)
      .number(as_signed(write.expected))
      .number(as_signed(write.record->revision))
      .tiny(static_cast<std::int16_t>(write.record->state))
      .number(write.record->expires_at)
      .octets(write.record->principal)
      .octets(write.record->value);
  return values;
}

/// A column per parameter, a row per write.
struct Columns {
  std::vector<std::string_view> keys, principals, values;
  std::vector<std::int64_t> expected, revisions, expires, gateways, sequences;
  std::vector<std::int16_t> states;
  std::vector<std::int32_t> applied;

  void add(const Write& write) {
    static const Record kErased;
    const Record& record = write.record ? *write.record : kErased;
    keys.push_back(write.key);
    expected.push_back(as_signed(write.expected));
    revisions.push_back(as_signed(record.revision));
    states.push_back(static_cast<std::int16_t>(record.state));
    expires.push_back(record.expires_at);
    principals.push_back(record.principal);
    values.push_back(record.value);
    applied.push_back(static_cast<std::int32_t>(record.applied.size()));
    for (const CommitId& id : record.applied) {
      gateways.push_back(as_signed(id.gateway));
      sequences.push_back(as_signed(id.sequence));
    }
  }
};

Values all_values(const Batch& batch, WallMillis now, std::int64_t room) {
  std::vector<const Write*> ordered;
  for (const Write& write : batch.writes) ordered.push_back(&write);
  std::ranges::sort(ordered, {}, [](const Write* write) -> const std::string& { return write->key; });
  const auto first = std::ranges::find(ordered, &batch.writes.front()) - ordered.begin();
  Columns columns;
  for (const Write* write : ordered) columns.add(*write);
  Values values;
  values.number(now)
      .number(room)
      .number(as_signed(batch.id.gateway))
      .number(as_signed(batch.id.sequence))
      .number(as_signed(batch.lease))
      .small(static_cast<std::int32_t>(first + 1))
      .octets(columns.keys)
      .numbers(columns.expected)
      .numbers(columns.revisions)
      .tiny(columns.states)
      .numbers(columns.expires)
      .octets(columns.principals)
      .octets(columns.values)
      .smalls(columns.applied)
      .numbers(columns.gateways)
      .numbers(columns.sequences);
  return values;
}

}  // namespace

std::shared_ptr<Call> commit_call(const Batch& batch, WallMillis now, std::int64_t room, TimePoint deadline) {
  auto call = is_simple(batch) ? std::make_shared<Call>(kCommitOne, simple_values(batch, now, room), deadline)
                               : std::make_shared<Call>(kCommitAll, all_values(batch, now, room), deadline);
  call->rows = tag_of(batch.writes.front().key);
  call->repeatable = batch.id.gateway != 0;
  return call;
}

bool has_applied_commit(const std::shared_ptr<Execution>& execution) {
  const bool commits = &execution->statement == &kCommitOne || &execution->statement == &kCommitAll;
  return commits && execution->answer &&
         execution->answer->number(0, 0) == static_cast<int>(Outcome::applied);
}

Record record_of(const Rows& rows, int row) {
  Record record{.revision = static_cast<Revision>(rows.number(row, 0)),
                .state = static_cast<State>(rows.number(row, 1)),
                .expires_at = rows.number(row, 2),
                .principal = std::string(rows.octets(row, 3)),
                .value = std::string(rows.octets(row, 4))};
  const auto gateways = rows.numbers(row, 5), sequences = rows.numbers(row, 6);
  for (std::size_t i = 0; i < std::min(gateways.size(), sequences.size()); ++i)
    record.applied.push_back({.gateway = static_cast<std::uint64_t>(gateways[i]),
                              .sequence = static_cast<std::uint64_t>(sequences[i])});
  return record;
}

}  // namespace stateway::store::postgres
