// What an exchange knows of its session, and what its response wants done with it.
#pragma once

#include <optional>
#include <string>

#include "session/options.h"
#include "session/patch_set.h"
#include "session/record.h"
#include "session/ticket.h"
#include "store/store.h"

namespace stateway::session {

/// Filled in three steps: by Sessions::open (what the service is given), from the service's answer (what it
/// wants), and by Sessions::commit (what the client is told).
struct Slot {
  // given
  const SessionOptions* kind = nullptr;
  Ticket ticket;                // the client's; for a new session one drawn for it
  store::Revision version = 0;  // 0: new
  SessionRecord record;         // as loaded; its document is "{}" when new
  std::string principal;

  // wanted
  PatchSet patches;
  std::size_t patch_octets = 0;  // of those that came by the session URL
  bool renew = false;
  bool end = false;
  std::optional<std::string> new_principal;  // with renew

  // told
  enum class Cookie : unsigned char { keep, set, clear } cookie = Cookie::keep;
  bool overlapped = false;  // a newer value was overwritten

  bool wants_commit() const { return renew || end || !patches.empty(); }
  /// Forgets what a discarded answer wanted.
  void forget_wishes() {
    patches = {};
    patch_octets = 0;
    renew = end = overlapped = false;
    new_principal.reset();
  }
};

}  // namespace stateway::session
