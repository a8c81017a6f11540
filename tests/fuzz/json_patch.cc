// JSON documents, and both kinds of patches. Input: a document, a line feed, one or more patches joined by
// commas.
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/check.h"
#include "json/json_patch.h"
#include "json/merge_patch.h"
#include "json/written_paths.h"
#include "session/patch_set.h"
#include "session/rebase.h"

using namespace stateway;

namespace {

constexpr json::DocumentLimits kLimits{.bytes_max = 2048, .depth_max = 32, .operations_max = 50};

// Whatever is accepted is kept: written, read and written again it is the same.
std::string check_document(const json::Document& document) {
  std::string text = json::to_ascii(document);
  for (const char c : text) CHECK(c >= 0x20 && c < 0x7f);
  const Result<json::Document> again = json::parse(text);
  CHECK(again && *again == document && json::to_ascii(*again) == text);
  return text;
}

void check_patches(const session::PatchSet& patches, const json::Document& document,
                   const std::string& text) {
  json::Edit edit(document, kLimits);
  Result<void> applied;
  for (const json::Document& patch : patches.patches()) {
    // A value overlaps with itself in no patch, and is there or not for every written path alike.
    CHECK(!json::overlaps(patch, document, document));
    (void)json::names_array_element_by_number(patch, document);
    const std::size_t before = edit.bytes();
    applied = patch.is_object() ? json::apply_merge_patch(edit, patch) : json::apply_json_patch(edit, patch);
    if (!applied) break;
    const std::string now = check_document(edit.document());
    CHECK(edit.bytes() == now.size());
    CHECK(now.size() <= kLimits.bytes_max || now.size() <= before);
    if (patch.is_object()) {  // a merge patch says how things shall be: saying it twice changes nothing
      json::Edit twice(edit.document(), kLimits);
      CHECK(json::apply_merge_patch(twice, patch) && twice.document() == edit.document());
    }
  }
  const auto rebased = session::rebase(patches, {1, text}, {1, text}, session::Overlap::refuse, kLimits);
  if (!applied) CHECK(!rebased);
  if (rebased && !patches.empty()) CHECK(rebased->document == json::to_ascii(edit.document()));
  // A newer version that is the same document changes nothing but for elements named by number.
  const auto later = session::rebase(patches, {1, text}, {2, text}, session::Overlap::refuse, kLimits);
  if (later) CHECK(rebased && rebased->document == later->document && !later->overlapped);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\n'), input.size());
  const Result<json::Document> document = json::parse(input.substr(0, end));
  if (!document) {
    CHECK(document.error().code == Code::bad_patch);
    return 0;
  }
  const std::string text = check_document(*document);
  const std::string_view values = end < input.size() ? input.substr(end + 1) : std::string_view();
  const auto patches = session::PatchSet::parse_header_values(std::span(&values, 1));
  if (patches) check_patches(*patches, *document, text);
  return 0;
}
