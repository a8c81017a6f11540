// [session.<name>] of the configuration: one kind of session. Plain values, immutable once loaded.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace stateway::session {

/// Where sessions live.
enum class Placement : std::uint8_t {
  client,    // their documents sealed in their cookies, or in [store] when those are too small
  instance,  // one instance's memory: its clients come back to it
  store,     // their documents in [store]
  hybrid,    // as store, and each preferably at an instance that has its document already
};
std::string_view placement_name(Placement placement);

/// What becomes of a session whose instance is gone (placement instance).
enum class OnLostInstance : std::uint8_t {
  renew,  // another begins, elsewhere
  fail,   // 503, and the cookie stays
};

enum class Secure : std::uint8_t {
  auto_,  // where the client came by TLS, or a trusted proxy says so
  always,
  never,
};

enum class Lane : std::uint8_t {
  merge,   // patches of parallel exchanges of one session are rebased
  serial,  // unsafe exchanges of one session run one at a time, in order of arrival
};

/// What happens to a patch whose path has another value in the latest version than in the one it was made
/// from.
enum class Overlap : std::uint8_t {
  last,    // applied, and counted
  refuse,  // 409
  again,   // the exchange runs again on the latest version
};

struct SessionOptions {
  std::string name;
  Placement placement = Placement::store;
  OnLostInstance on_lost_instance = OnLostInstance::renew;
  std::chrono::milliseconds idle{30 * 60'000};         // sliding expiry
  std::chrono::milliseconds absolute{24 * 3'600'000};  // hard expiry, never shorter than idle
  std::string cookie;                                  // without __Host-; the session's name unless told
  Secure secure = Secure::auto_;
  bool persistent = false;  // the cookie has Max-Age
  Lane lane = Lane::merge;
  unsigned lane_queue = 100;  // exchanges, and as many commits, waiting for one session's lane
  std::chrono::milliseconds lane_wait{10'000};  // each of them
  std::optional<Overlap> overlap;  // unset: again on routes whose replay is reexecute, last on the others
  std::size_t inline_bytes_max = 4 * 1024;  // larger documents are fetched by the session URL
  std::size_t document_bytes_max = 1024 * 1024;

  /// The gateway keeps a document of each session and hands it out; otherwise services get the id alone.
  bool has_document() const { return placement != Placement::instance; }

  bool operator==(const SessionOptions&) const = default;
};

/// The longest `absolute` of all kinds: how long what was sealed may be of use. 0 without any.
std::chrono::milliseconds longest_absolute(std::span<const SessionOptions> kinds);

}  // namespace stateway::session
