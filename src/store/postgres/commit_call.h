// A batch as a call of the schema's commit functions, and what they answer.
#pragma once

#include <cstdint>
#include <memory>

#include "store/postgres/link.h"
#include "store/store.h"

namespace stateway::store::postgres {

/// As the functions number them.
enum class Outcome : std::uint8_t { applied = 0, repeated = 1, lease_lost = 2, conflict = 3, full = 4 };

/// `room`: how many more records there may be. The batch is a well-formed one (store/batch.h). Pure.
std::shared_ptr<Call> commit_call(const Batch& batch, WallMillis now, std::int64_t room, TimePoint deadline);

/// Whether it is one of these calls, answered, and its batch was applied.
bool has_applied_commit(const std::shared_ptr<Execution>& execution);

/// The record in a row that begins as kLoad's.
Record record_of(const Rows& rows, int row);

}  // namespace stateway::store::postgres
