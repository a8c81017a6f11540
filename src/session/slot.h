// What an exchange knows of its session, and what its response wants done with it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/secret.h"
#include "session/options.h"
#include "session/patch_set.h"
#include "session/record.h"
#include "session/ticket.h"
#include "session/turn.h"
#include "store/store.h"

namespace stateway::session {

/// Filled in three steps: by Sessions::open (what the service is given), from the service's answer (what it
/// wants), and by Sessions::commit (what the client is told).
struct Slot {
  // given
  const SessionOptions* kind = nullptr;
  bool came_by_tls = false;
  bool fresh = true;            // began with this exchange: no client knows of it
  Ticket ticket;                // the client's; for a new session one drawn for it
  Home brought = Home::store;   // which form its cookie has: a ticket, a document, or an instance's name
  store::Revision version = 0;  // commits so far; 0: there is no document yet
  store::Revision held = 0;     // the version that the client is known to hold; 0: none
  store::Revision stored = 0;   // revision of the store's record, whatever it says; 0: there is none
  std::optional<std::uint64_t> epoch = 0;  // of the store when it was loaded; nullopt: it changed meanwhile
  SessionRecord record;                    // the latest; its document is "{}" when there is none
  std::string principal;
  std::optional<std::uint64_t> pinned;      // Instance::identity(): no other instance has this session
  bool cookie_is_due = false;               // the client is to get one whatever the service wants
  std::shared_ptr<SharedTurn> shared_turn;  // what the commit has to prove, with lane = "serial" (turn.h)
  bool slides = false;                      // … because a share of its idle time has passed

  // wanted
  PatchSet patches;
  std::size_t patch_octets = 0;  // of those that came by the session URL
  bool renew = false;
  bool end = false;
  std::optional<std::string> new_principal;  // with renew
  std::uint64_t answered_by = 0;             // Instance::identity()

  // told
  enum class Cookie : unsigned char { keep, set, clear } cookie = Cookie::keep;
  Secret cookie_value;             // with set
  bool overlapped = false;         // a newer value was overwritten
  bool committed_locally = false;  // on this machine, until the store is back

  /// The service wants the session changed.
  bool wants_change() const { return renew || end || !patches.empty(); }
  bool wants_commit() const { return wants_change() || cookie_is_due; }
  /// Forgets what a discarded answer wanted.
  void forget_wishes() {
    patches = {};
    patch_octets = 0;
    renew = end = overlapped = false;
    new_principal.reset();
  }
};

}  // namespace stateway::session
