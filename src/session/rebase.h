// The commit rule: patches made for one version of a document, applied to the latest one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "json/edit.h"
#include "session/options.h"
#include "session/patch_set.h"

namespace stateway::session {

/// What the service was given.
struct Seen {
  std::uint64_t version = 0;
  std::string_view document;
};

/// What is committed now.
struct Latest {
  std::uint64_t version = 0;
  std::string_view document;
};

struct Rebased {
  std::string document;     // as json::to_ascii writes it; an object
  bool changed = false;     // there were patches
  bool overlapped = false;  // one of them overwrote what another exchange wrote (Overlap::last alone)
};

/// Applies `patches` in order to `latest`; nothing happens anywhere else. With equal versions overlap is not
/// looked for. Errors:
/// - bad_patch: does not apply, or leaves something else than an object; patch_test_failed;
/// document_too_large.
/// - overlap, of another version only: a written path has another value in `latest` than in `seen` and `rule`
/// is refuse
///   or again; a JSON Patch names an array element of `seen` by number; or the patches apply to `seen` but
///   not to `latest`. The caller decides between refusing and running the exchange again.
/// - internal: a stored document is no JSON.
/// Pure; any thread.
Result<Rebased> rebase(const PatchSet& patches, const Seen& seen, const Latest& latest, Overlap rule,
                       const json::DocumentLimits& limits);

}  // namespace stateway::session
