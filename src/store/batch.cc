#include "store/batch.h"

#include <algorithm>

namespace stateway::store {
namespace {

bool well_formed(const Write& write) {
  if (write.key.empty() || write.key.size() > kKeyBytesMax) return false;
  return !write.record || (write.record->revision > write.expected && write.record->expires_at >= 0);
}

}  // namespace

Result<void> check_batch(const Batch& batch) {
  const std::vector<Write>& writes = batch.writes;
  if (writes.empty()) return fail(Code::internal, Side::self, "an empty batch");
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (!well_formed(writes[i])) return fail(Code::internal, Side::self, "a malformed write in a batch");
    if (tag_of(writes[i].key) != tag_of(writes[0].key))
      return fail(Code::internal, Side::self, "a batch of keys that may lie on different servers");
    for (std::size_t j = 0; j < i; ++j)  // batches hold one or two writes
      if (writes[j].key == writes[i].key) return fail(Code::internal, Side::self, "a key twice in a batch");
  }
  return {};
}

bool has_applied(const Record& present, CommitId id) {
  if (id.gateway == 0) return false;
  const auto last = std::ranges::find(present.applied, id.gateway, &CommitId::gateway);
  return last != present.applied.end() && last->sequence >= id.sequence;
}

void remember_commit(Batch& batch, const Record* present) {
  std::optional<Record>& record = batch.writes.front().record;
  if (!record) return;
  if (present != nullptr) record->applied = present->applied;
  if (batch.id.gateway == 0) return;
  std::erase_if(record->applied, [&](const CommitId& id) { return id.gateway == batch.id.gateway; });
  record->applied.insert(record->applied.begin(), batch.id);
  if (record->applied.size() > kAppliedMax) record->applied.resize(kAppliedMax);
}

}  // namespace stateway::store
