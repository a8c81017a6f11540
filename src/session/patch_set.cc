#include "session/patch_set.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "base/bytes.h"
#include "json/json_patch.h"

namespace stateway::session {
namespace {

// A JSON Patch holds values inside its array and the step's object.
json::ParseLimits parse_limits(const PatchLimits& limits) { return {.depth_max = limits.depth_max + 2}; }

Result<void> check(const json::Document& patch) {
  if (patch.is_object()) return {};
  if (patch.is_array()) return json::check_json_patch(patch);
  return fail(Code::bad_patch, Side::upstream, "a patch is a JSON object or an array");
}

// Takes one list element, without its comma, off the front of `rest`. `at`: bytes of the value before it.
Result<json::Document> take_patch(std::string_view& rest, const PatchLimits& limits, std::size_t at) {
  Result<json::Document> patch = json::parse_front(rest, parse_limits(limits));
  if (!patch) {
    Error error = std::move(patch).error();
    if (at > 0) error.context += fmt::format(", counted from byte {} of the line", at);
    return std::unexpected(std::move(error));
  }
  if (auto ok = check(*patch); !ok) return pass_on(std::move(ok));
  return patch;
}

Result<void> parse_value(std::string_view value, const PatchLimits& limits,
                         std::vector<json::Document>& out) {
  std::string_view rest = value;
  const auto at = [&] { return value.size() - rest.size(); };
  for (;;) {
    while (!rest.empty() && (rest.front() == ',' || rest.front() == ' ' || rest.front() == '\t'))
      rest.remove_prefix(1);
    if (rest.empty()) return {};
    Result<json::Document> patch = take_patch(rest, limits, at());
    if (!patch) return pass_on(std::move(patch));
    out.push_back(std::move(*patch));
    if (!rest.empty() && rest.front() != ',')
      return fail(Code::bad_patch, Side::upstream, fmt::format("no comma between patches at byte {}", at()));
  }
}

}  // namespace

Result<PatchSet> PatchSet::parse_header_values(std::span<const std::string_view> values,
                                               const PatchLimits& limits) {
  PatchSet out;
  if (auto ok = out.add_header_values(values, limits); !ok) return pass_on(std::move(ok));
  return out;
}

Result<void> PatchSet::add_header_values(std::span<const std::string_view> values,
                                         const PatchLimits& limits) {
  std::size_t bytes = 0;
  for (const std::string_view value : values) bytes += value.size();
  if (bytes > limits.header_bytes_max)
    return fail(Code::bad_patch, Side::upstream,
                fmt::format("{} bytes of Stateway-Session-Patch where {} are allowed", bytes,
                            limits.header_bytes_max));
  std::vector<json::Document> added;
  for (const std::string_view value : values)
    if (auto ok = parse_value(value, limits, added); !ok) return ok;
  patches_.insert(patches_.end(), std::move_iterator(added.begin()), std::move_iterator(added.end()));
  return {};
}

Result<void> PatchSet::add_body(std::string_view body, const PatchLimits& limits) {
  Result<json::Document> patch = json::parse(body, parse_limits(limits));
  if (!patch) return pass_on(std::move(patch));
  if (auto ok = check(*patch); !ok) return ok;
  patches_.push_back(std::move(*patch));
  return {};
}

}  // namespace stateway::session
