#include "store/batch.h"

namespace stateway::store {
namespace {

bool well_formed(const Write& write) {
  if (write.key.empty() || write.key.size() > kKeyBytesMax) return false;
  return !write.record || (write.record->revision > write.expected && write.record->expires_at >= 0);
}

}  // namespace

Result<void> check_batch(const Batch& batch) {
  if (batch.empty()) return fail(Code::internal, Side::self, "an empty batch");
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (!well_formed(batch[i])) return fail(Code::internal, Side::self, "a malformed write in a batch");
    for (std::size_t j = 0; j < i; ++j)  // batches hold one or two writes
      if (batch[j].key == batch[i].key) return fail(Code::internal, Side::self, "a key twice in a batch");
  }
  return {};
}

}  // namespace stateway::store
