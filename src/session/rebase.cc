#include "session/rebase.h"

#include <fmt/format.h>

#include <utility>

#include "json/json_patch.h"
#include "json/merge_patch.h"
#include "json/written_paths.h"

namespace stateway::session {
namespace {

Result<json::Document> parse_stored(std::string_view text) {
  Result<json::Document> document = json::parse(text);
  if (!document)
    return fail(Code::internal, Side::store, fmt::format("a stored document: {}", document.error().context));
  return document;
}

Result<void> apply_all(const PatchSet& patches, json::Edit& edit) {
  for (const json::Document& patch : patches.patches()) {
    auto ok = patch.is_object() ? json::apply_merge_patch(edit, patch) : json::apply_json_patch(edit, patch);
    if (!ok) return ok;
    if (!edit.document().is_object())
      return fail(Code::bad_patch, Side::upstream, "a session's document is an object");
  }
  return {};
}

std::unexpected<Error> overlap(const Seen& seen, const Latest& latest, std::string_view what) {
  return fail(Code::overlap, Side::client,
              fmt::format("made for version {}, the latest is {}: {}", seen.version, latest.version, what));
}

/// Whether patches made for `seen` overwrite what `latest` brought; an error when they must not.
Result<bool> check_overlap(const PatchSet& patches, const Seen& seen, const json::Document& base,
                           const Latest& latest, const json::Document& now, Overlap rule) {
  bool found = false;
  for (const json::Document& patch : patches.patches()) {
    if (json::names_array_element_by_number(patch, base))
      return overlap(seen, latest, "a patch names an array element by number");
    found = found || json::overlaps(patch, base, now);
  }
  if (found && rule != Overlap::last) return overlap(seen, latest, "a written path has changed");
  return found;
}

std::string write(const json::Edit& edit) {
  std::string out;
  out.reserve(edit.bytes());
  json::append_ascii(out, edit.document());
  return out;
}

}  // namespace

Result<Rebased> rebase(const PatchSet& patches, const Seen& seen, const Latest& latest, Overlap rule,
                       const json::DocumentLimits& limits) {
  if (patches.empty()) return Rebased{.document = std::string(latest.document)};
  Result<json::Document> now = parse_stored(latest.document);
  if (!now) return pass_on(std::move(now));

  // Not the versions decide: a session may have moved without a change, and of one in its cookie there may be
  // two documents of one version.
  const bool newer = latest.document != seen.document;
  json::Document base;
  Rebased out{.changed = true};
  if (newer) {
    Result<json::Document> parsed = parse_stored(seen.document);
    if (!parsed) return pass_on(std::move(parsed));
    base = std::move(*parsed);
    const Result<bool> found = check_overlap(patches, seen, base, latest, *now, rule);
    if (!found) return std::unexpected(found.error());
    out.overlapped = *found;
  }

  json::Edit edit(std::move(*now), limits);
  if (auto ok = apply_all(patches, edit); !ok) {
    if (newer && ok.error().code == Code::bad_patch) {
      json::Edit alone(std::move(base), limits);
      // The service did nothing wrong: another exchange changed what its patches rely on.
      if (apply_all(patches, alone)) return overlap(seen, latest, ok.error().context);
    }
    return pass_on(std::move(ok));
  }
  out.document = write(edit);
  return out;
}

}  // namespace stateway::session
