#include "store/outage/overlay.h"

#include <utility>

namespace stateway::store::outage {

Recent<Overlay::Value>::Terms Overlay::terms(const Value& value) {
  std::size_t bytes = 0;
  if (value.record)
    bytes = sizeof(Record) + value.record->principal.size() + value.record->value.size() +
            value.record->applied.size() * sizeof(CommitId);
  return {.bytes = bytes, .until = kAlways};
}

Overlay::Known Overlay::find(std::string_view key, WallMillis now) const {
  const auto value = known_.find(key, TimePoint());
  if (!value) return {.known = absent_.find(key, TimePoint()).has_value()};
  const bool there = value->record && value->expires_at > now;
  if (!there) return {.known = !value->record};
  Known found{.known = true, .record = *value->record};
  found.record->expires_at = value->expires_at;
  return found;
}

void Overlay::learn(std::string_view key, const std::optional<Record>& record, std::uint64_t began) {
  bool outdated = false;
  known_.change(key, TimePoint(), [&](Value& value) -> std::optional<Recent<Value>::Terms> {
    outdated = value.pending || value.changed > began;
    if (outdated) return terms(value);
    if (!record) return std::nullopt;
    value.expires_at = record->expires_at;
    const bool same = value.record && value.record->revision == record->revision &&
                      value.record->state == record->state && value.record->value == record->value;
    if (!same) value.record = std::make_shared<const Record>(*record);
    return terms(value);
  });
  if (outdated) return;
  if (record)
    absent_.forget(key);
  else
    absent_.keep(key, {}, {.bytes = 0, .until = kAlways}, TimePoint());
}

void Overlay::set(std::string_view key, std::optional<Record> record, std::uint64_t at, bool pending) {
  const WallMillis expires_at = record ? record->expires_at : 0;
  const auto shared = record ? std::make_shared<const Record>(std::move(*record)) : nullptr;
  known_.change(key, TimePoint(), [&](Value& value) -> std::optional<Recent<Value>::Terms> {
    // What is pending is newer than whatever the store says.
    if (value.changed > at) return terms(value);
    value = {.record = shared, .expires_at = expires_at, .changed = at, .pending = pending};
    return terms(value);
  });
  absent_.forget(key);
}

bool Overlay::touch(std::string_view key, WallMillis expires_at, WallMillis now) {
  bool touched = false;
  known_.change(key, TimePoint(), [&](Value& value) -> std::optional<Recent<Value>::Terms> {
    if (!value.record && value.changed == 0) return std::nullopt;  // made by this look
    touched = value.record && value.record->state != State::ended && value.expires_at > now;
    if (touched && value.expires_at < expires_at) value.expires_at = expires_at;
    return terms(value);
  });
  return touched;
}

}  // namespace stateway::store::outage
