// The commit rule. Input: the document a service was given, a line feed, the latest one, a line feed, and the
// values of Stateway-Session-Patch, one in each line.
#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "json/json_patch.h"
#include "json/merge_patch.h"
#include "json/written_paths.h"
#include "session/patch_set.h"
#include "session/rebase.h"

using namespace stateway;
using session::Overlap;
using session::PatchSet;
using session::Rebased;

namespace {

constexpr json::DocumentLimits kLimits{.bytes_max = 1024, .depth_max = 16, .operations_max = 40};
constexpr std::size_t kLinesMax = 8;

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

// Several lines mean what one line joined by commas means, and count against one limit.
void check_lines(std::span<const std::string_view> lines, const Result<PatchSet>& patches) {
  std::string joined;
  std::size_t bytes = 0;
  for (const std::string_view line : lines) {
    joined.append(joined.empty() ? "" : ",").append(line);
    bytes += line.size();
  }
  const std::string_view value = joined;
  const auto together = PatchSet::parse_header_values(std::span(&value, 1));
  if (patches) CHECK(together && std::ranges::equal(together->patches(), patches->patches()));
  if (bytes == 0) return;
  const auto limited = PatchSet::parse_header_values(lines, {.header_bytes_max = bytes});
  CHECK(limited.has_value() == patches.has_value());
  CHECK(!PatchSet::parse_header_values(lines, {.header_bytes_max = bytes - 1}));
}

// A PATCH body is one patch and means what a line with it means.
void check_body(std::string_view line) {
  PatchSet body;
  if (!body.add_body(line)) {
    CHECK(body.empty());
    return;
  }
  const auto header = PatchSet::parse_header_values(std::span(&line, 1));
  CHECK(header && std::ranges::equal(header->patches(), body.patches()));
}

bool is_made_by_merge_patches(const PatchSet& patches) {
  return std::ranges::all_of(patches.patches(), &json::Document::is_object);
}

bool names_number(const PatchSet& patches, const json::Document& base) {
  return std::ranges::any_of(patches.patches(), [&](const json::Document& patch) {
    return json::names_array_element_by_number(patch, base);
  });
}

void check_result(const Result<Rebased>& result, std::string_view latest) {
  if (!result) return;
  const auto document = json::parse(result->document, {.depth_max = std::max(kLimits.depth_max, 32)});
  CHECK(document && document->is_object() && json::to_ascii(*document) == result->document);
  CHECK(result->document.size() <= std::max(kLimits.bytes_max, latest.size()));
  CHECK(result->changed);
}

// What the three rules say of the same patches and documents must agree.
void check_newer(const PatchSet& patches, const json::Document& base, std::string_view seen,
                 std::string_view latest) {
  const auto rebase = [&](Overlap rule) {
    return session::rebase(patches, {1, seen}, {2, latest}, rule, kLimits);
  };
  const auto last = rebase(Overlap::last);
  const auto refuse = rebase(Overlap::refuse);
  const auto again = rebase(Overlap::again);
  check_result(last, latest);
  CHECK(refuse.has_value() == again.has_value());
  if (refuse) CHECK(refuse->document == again->document && !refuse->overlapped && !again->overlapped);
  if (!refuse) CHECK(refuse.error().code == again.error().code);
  if (refuse) CHECK(last && last->document == refuse->document && !last->overlapped);
  if (last && !last->overlapped) CHECK(refuse);
  if (last && last->overlapped) CHECK(!refuse && refuse.error().code == Code::overlap);
  if (names_number(patches, base)) CHECK(!last && last.error().code == Code::overlap);

  const auto alone = session::rebase(patches, {1, seen}, {1, seen}, Overlap::last, kLimits);
  check_result(alone, seen);
  if (seen == latest && last) CHECK(alone && alone->document == last->document && !last->overlapped);
  // What the patches rely on was broken by somebody else, not by their service.
  if (alone && !last) CHECK(last.error().code != Code::bad_patch);

  // Without an overlap every written path ends with the value it was meant to have.
  if (!refuse || !alone || !is_made_by_merge_patches(patches) || patches.patches().size() != 1) return;
  CHECK(!json::overlaps(patches.patches().front(), json::parse(refuse->document).value(),
                        json::parse(alone->document).value()));
  // And applying it once more changes nothing.
  const auto twice =
      session::rebase(patches, {3, refuse->document}, {3, refuse->document}, Overlap::last, kLimits);
  CHECK(twice && json::parse(twice->document).value() == json::parse(refuse->document).value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto base = json::parse(take_line(rest));
  const auto now = json::parse(take_line(rest));
  std::array<std::string_view, kLinesMax> storage;
  std::size_t count = 0;
  while (!rest.empty() && count < kLinesMax) storage[count++] = take_line(rest);
  const std::span<const std::string_view> lines(storage.data(), count);

  const auto patches = PatchSet::parse_header_values(lines);
  check_lines(lines, patches);
  for (const std::string_view line : lines) check_body(line);
  if (!base || !now || !base->is_object() || !now->is_object() || !patches) return 0;

  const std::string seen = json::to_ascii(*base);
  const std::string latest = json::to_ascii(*now);
  if (patches->empty()) {
    const auto same = session::rebase(*patches, {1, seen}, {2, latest}, Overlap::refuse, kLimits);
    CHECK(same && same->document == latest && !same->changed && !same->overlapped);
    return 0;
  }
  check_newer(*patches, *base, seen, latest);
  return 0;
}
