#include "json/edit.h"

#include <fmt/format.h>

#include "json/write.h"

namespace stateway::json {
namespace {
constexpr std::size_t kDocumentsCopiedMax = 16;   // as many bytes as so many full documents,
constexpr std::size_t kCopiedFree = 1024 * 1024;  // beyond what costs nothing worth a limit
}  // namespace

Edit::Edit(Document document, const DocumentLimits& limits)
    : document_(std::move(document)), limits_(limits), bytes_(measure(raw(document_)).bytes) {}

Result<void> Edit::begin_operation() {
  if (++operations_ > limits_.operations_max)
    return fail(Code::bad_patch, Side::upstream,
                fmt::format("more than {} operations", limits_.operations_max));
  return {};
}

Result<void> Edit::admit(std::size_t added, std::size_t removed) const {
  const std::size_t after = bytes_ + added - removed;
  if (after > limits_.bytes_max && after > bytes_)
    return fail(Code::document_too_large, Side::upstream,
                fmt::format("the document would have {} bytes, {} are allowed", after, limits_.bytes_max));
  return {};
}

Result<void> Edit::admit_depth(int depth, int height) const {
  if (depth + height > limits_.depth_max)
    return fail(Code::bad_patch, Side::upstream,
                fmt::format("the document would be nested deeper than {}", limits_.depth_max));
  return {};
}

Result<void> Edit::spend(std::size_t bytes) {
  spent_ += bytes;
  if (spent_ > kCopiedFree && (spent_ - kCopiedFree) / kDocumentsCopiedMax > limits_.bytes_max)
    return fail(Code::document_too_large, Side::upstream,
                fmt::format("the patch copies more than {} times the allowed document", kDocumentsCopiedMax));
  return {};
}

}  // namespace stateway::json
