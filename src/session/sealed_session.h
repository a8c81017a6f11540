// What a client holds, sealed, of a session that the store does not keep: the session itself (placement
// client), or which instance has it (placement instance). docs/formats/sealed-cookie.md has the bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "session/ticket.h"
#include "store/store.h"

namespace stateway::session {

/// Placement instance.
struct SealedPlace {
  std::uint64_t instance = 0;  // Instance::identity(): names no address
  bool recorded = false;       // the store has a record of it, because a service renewed it
};

/// Placement client.
struct SealedDocument {
  store::Revision version = 0;
  std::string principal;
  std::string document;  // as json::to_ascii writes it
};

struct SealedSession {
  Ticket ticket;
  WallMillis created = 0;
  WallMillis absolute_expires = 0;
  WallMillis sealed_at = 0;
  WallMillis idle_expires = 0;
  std::variant<SealedPlace, SealedDocument> holds;

  const SealedPlace* place() const { return std::get_if<SealedPlace>(&holds); }
  const SealedDocument* document() const { return std::get_if<SealedDocument>(&holds); }
};

/// The contents to seal. A principal has at most 65,535 octets.
std::string encode_sealed(const SealedSession& session);
/// The size of those contents for a document.
std::size_t sealed_document_bytes(std::size_t principal_bytes, std::size_t document_bytes);
/// nullopt: nothing that encode_sealed makes. Strict. Pure; any thread.
std::optional<SealedSession> decode_sealed(std::string_view contents);

}  // namespace stateway::session
