// What a store keeps of a session besides its version and expiry. docs/formats/session-record.md has the
// bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace stateway::session {

/// Where a session is: its document, or what an instance has in its place.
enum class Home : std::uint8_t {
  store,     // in a live record
  client,    // sealed in its cookie
  instance,  // in an instance's memory
};

std::string_view home_name(Home home);

struct SessionRecord {
  std::string kind;  // [session.<kind>], at most 255 octets
  WallMillis created = 0;
  WallMillis absolute_expires = 0;  // hard: sliding never goes beyond it
  std::string secret_hash;          // SHA-256 of the ticket's secret, 32 octets
  Home home = Home::store;          // of a moved record: where it went
  std::string document;             // as json::to_ascii writes it

  bool operator==(const SessionRecord&) const = default;
};

/// The same without copies, for who walks over many: the views are into the value it was read from.
struct RecordView {
  std::string_view kind;
  WallMillis created = 0;
  WallMillis absolute_expires = 0;
  std::string_view secret_hash;
  Home home = Home::store;
  std::string_view document;
};

/// Principals are in sealed cookies, which have 4,096 octets, and in the keys of the store's index. Names,
/// mail addresses and the URIs of other issuers are far shorter.
inline constexpr std::size_t kPrincipalBytesMax = 1024;
/// What a service may call who logged in: UTF-8, so that JSON can name him, of kPrincipalBytesMax octets at
/// most. Empty: nobody is logged in any more.
bool is_principal(std::string_view text);

/// The `value` of a store's record.
std::string encode_record(const SessionRecord& record);
/// Strict. Errors: internal, Side::store, when the bytes are damaged or of a version this program does not
/// know.
Result<SessionRecord> decode_record(std::string_view value);
Result<RecordView> view_record(std::string_view value);

}  // namespace stateway::session
