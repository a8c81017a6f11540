// JSON Patch, RFC 6902, with JSON Pointer, RFC 6901.
#pragma once

#include "json/edit.h"

namespace stateway::json {

/// Is `patch` an array of well-formed steps? Members a step does not need are ignored.
/// Errors: bad_patch, saying which step (from 0) and why. RFC 6902 §3, §4.
Result<void> check_json_patch(const Document& patch);

/// Applies the steps of `patch` in order; the limits hold after each.
/// Errors: bad_patch (as check_json_patch; a location that does not exist; the root removed; operations_max;
/// depth_max), patch_test_failed (also when there is nothing at the path), document_too_large. RFC 6902 §4,
/// §5.
Result<void> apply_json_patch(Edit& edit, const Document& patch);

}  // namespace stateway::json
