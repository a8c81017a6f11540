// JSON Merge Patch, RFC 7396.
#pragma once

#include "json/edit.h"

namespace stateway::json {

/// Applies `patch` as one operation: its objects are merged, its nulls remove, all else replaces.
/// Errors: bad_patch (operations_max, depth_max), document_too_large. RFC 7396 §2.
Result<void> apply_merge_patch(Edit& edit, const Document& patch);

}  // namespace stateway::json
