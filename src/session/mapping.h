// What a client of placement "instance" holds, sealed: its session, and which instance has it.
// docs/formats/sealed-cookie.md has the bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "session/ticket.h"

namespace stateway::session {

struct Mapping {
  Ticket ticket;
  std::uint64_t instance = 0;  // Instance::identity(): names no address
  WallMillis created = 0;
  WallMillis absolute_expires = 0;
  WallMillis sealed_at = 0;  // the idle time runs from here
  bool recorded = false;     // the store has a record of it, because a service renewed it
};

/// The contents to seal.
std::string encode_mapping(const Mapping& mapping);
/// nullopt: the contents of another kind of sealed cookie. Strict. Pure; any thread.
std::optional<Mapping> decode_mapping(std::string_view contents);

}  // namespace stateway::session
