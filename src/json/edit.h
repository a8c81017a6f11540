// A document that is being patched, and the limits it must keep after every operation.
#pragma once

#include <cstddef>
#include <utility>

#include "base/error.h"
#include "json/value.h"

namespace stateway::json {

struct DocumentLimits {
  std::size_t bytes_max = 1024 * 1024;  // of the document as to_ascii writes it
  int depth_max = 32;                   // arrays and objects inside each other
  int operations_max = 1000;            // of one Edit: steps of JSON Patches, and one for each merge patch
};

/// One document and the patches applied to it, each by apply_merge_patch or apply_json_patch. Its written
/// size is kept up to date step by step, so that no limit costs a walk over the document. After an error the
/// document is half patched and must be thrown away. Not thread-safe.
class Edit {
 public:
  Edit(Document document, const DocumentLimits& limits);

  const Document& document() const { return document_; }
  Document take() && { return std::move(document_); }
  /// to_ascii(document()).size().
  std::size_t bytes() const { return bytes_; }

  // What follows is for the patch functions.

  Document& target() { return document_; }
  const DocumentLimits& limits() const { return limits_; }
  /// Counts a step. Errors: bad_patch (operations_max).
  Result<void> begin_operation();
  /// Would `added` bytes in place of `removed` ones be too many? A document that is over the limit already,
  /// because it was lowered, may still shrink. Errors: document_too_large.
  Result<void> admit(std::size_t added, std::size_t removed) const;
  void resize(std::size_t added, std::size_t removed) { bytes_ = bytes_ + added - removed; }
  /// Refuses a value of `height` (write.h) that would lie inside `depth` containers. Errors: bad_patch.
  Result<void> admit_depth(int depth, int height) const;
  /// Counts bytes of the document that a step copies or walks. A thousand copies of nearly all of a large
  /// document would hold up the loop for seconds. Errors: document_too_large.
  Result<void> spend(std::size_t bytes);

 private:
  Document document_;
  DocumentLimits limits_;
  std::size_t bytes_;
  std::size_t spent_ = 0;
  int operations_ = 0;
};

}  // namespace stateway::json
