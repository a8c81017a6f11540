// The patches one exchange's service sent, in the order they apply.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "json/value.h"

namespace stateway::session {

struct PatchLimits {
  std::size_t header_bytes_max =
      64 * 1024;       // of all Stateway-Session-Patch lines of a response; more by PATCH
  int depth_max = 32;  // of the documents that the patches make
};

/// JSON objects are merge patches (RFC 7396), arrays are JSON Patches (RFC 6902).
class PatchSet {
 public:
  /// The values of a response's Stateway-Session-Patch lines. Each holds texts joined by commas; empty ones
  /// are ignored (RFC 9110 §5.6.1). Errors: bad_patch, and the set is as it was.
  static Result<PatchSet> parse_header_values(std::span<const std::string_view> values,
                                              const PatchLimits& limits = {});
  /// The same, behind the patches that are there already.
  Result<void> add_header_values(std::span<const std::string_view> values, const PatchLimits& limits = {});
  /// The body of a PATCH to the session URL: one text, whose size the caller has bounded.
  /// Errors: bad_patch, and the set is as it was.
  Result<void> add_body(std::string_view body, const PatchLimits& limits = {});

  bool empty() const { return patches_.empty(); }
  /// Each an object, or an array that json::check_json_patch accepts.
  std::span<const json::Document> patches() const { return patches_; }

 private:
  std::vector<json::Document> patches_;
};

}  // namespace stateway::session
