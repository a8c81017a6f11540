#include "session/intent.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/big_endian.h"
#include "base/check.h"
#include "json/value.h"
#include "session/rebase.h"

namespace stateway::session {
namespace {

using store::outage::Remade;

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHashBytes = 32;

/// What encode_intent wrote.
struct Decoded {
  bool renews = false;
  std::uint64_t document_bytes_max = 0;
  std::string_view secret_hash;
  std::string_view document;
  PatchSet patches;
};

std::optional<Decoded> decode(std::string_view in) {
  Decoded out;
  std::uint8_t version = 0, renews = 0;
  std::uint32_t document_bytes = 0;
  if (!take_big_endian(in, version) || version != kVersion || !take_big_endian(in, renews) || renews > 1 ||
      !take_big_endian(in, out.document_bytes_max) || in.size() < kHashBytes)
    return std::nullopt;
  out.renews = renews == 1;
  out.secret_hash = in.substr(0, kHashBytes);
  in.remove_prefix(kHashBytes);
  if (!take_big_endian(in, document_bytes) || in.size() < document_bytes) return std::nullopt;
  out.document = in.substr(0, document_bytes);
  in.remove_prefix(document_bytes);
  // Each was checked, and bounded, when its exchange sent it.
  const PatchLimits limits{.header_bytes_max = std::numeric_limits<std::size_t>::max()};
  if (!out.patches.add_header_values(std::span(&in, 1), limits)) return std::nullopt;
  return out;
}

// The record that has `document` and is otherwise what it is in the store, but for what the commit renewed.
store::Record on_present(const store::Record& made, const SessionRecord& made_session,
                         const store::Record& present, SessionRecord session, bool renews,
                         std::string document) {
  store::Record record;
  record.state = store::State::live;
  record.expires_at = std::max(made.expires_at, present.expires_at);
  record.principal = renews ? made.principal : present.principal;
  if (renews) session.secret_hash = made_session.secret_hash;
  session.home = Home::store;
  session.document = std::move(document);
  record.value = encode_record(session);
  return record;
}

}  // namespace

std::string encode_intent(const Intent& intent) {
  CHECK(intent.secret_hash.size() == kHashBytes);
  std::string out;
  append_big_endian(out, kVersion);
  append_big_endian(out, static_cast<std::uint8_t>(intent.renews ? 1 : 0));
  append_big_endian(out, static_cast<std::uint64_t>(intent.document_bytes_max));
  out += intent.secret_hash;
  append_big_endian(out, static_cast<std::uint32_t>(intent.document.size()));
  out += intent.document;
  for (const json::Document& patch : intent.patches.patches()) {
    json::append_ascii(out, patch);
    out += ',';
  }
  return out;
}

Remade IntentRemaker::remake(std::string_view intent, const store::Record& made, const store::Record& present,
                             store::OnConflict on_conflict) const {
  const auto how_made = decode(intent);
  const auto made_session = decode_record(made.value);
  auto session = decode_record(present.value);
  // Nobody can tell what is there: the document that was acknowledged is at least whole.
  if (!how_made || !made_session || !session) return {Remade::How::overlapped, made};

  // Where the commit began with the session itself there was no secret before it.
  if (session->secret_hash != how_made->secret_hash && session->secret_hash != made_session->secret_hash)
    return {.how = Remade::How::refused, .record = {}};
  const bool live = present.state == store::State::live;
  const bool same_document = session->document == how_made->document;
  const bool same_principal = how_made->renews || present.principal == made.principal;
  if (live && same_document && same_principal) return {.how = Remade::How::as_made, .record = {}};

  const Latest latest{.version = present.revision, .document = session->document};
  const Seen seen{.version = made.revision, .document = how_made->document};
  const json::DocumentLimits limits{.bytes_max = how_made->document_bytes_max};
  auto rebased = rebase(how_made->patches, seen, latest, Overlap::refuse, limits);
  Remade remade{.how = rebased && live ? Remade::How::rebased : Remade::How::overlapped, .record = {}};
  if (!rebased) rebased = rebase(how_made->patches, seen, latest, Overlap::last, limits);
  if (remade.how == Remade::How::overlapped && on_conflict == store::OnConflict::store) return remade;
  std::string document = rebased ? std::move(rebased->document) : made_session->document;
  remade.record =
      on_present(made, *made_session, present, std::move(*session), how_made->renews, std::move(document));
  return remade;
}

}  // namespace stateway::session
