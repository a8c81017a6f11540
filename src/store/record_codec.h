// The bytes of the embedded store: record values and index keys. docs/formats/store.md is their description.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "store/store.h"

namespace stateway::store {

/// A record as it lies in the embedded store.
struct Stored {
  Record record;
  WallMillis indexed_at =
      0;  // where its one entry of the expiry index is; never later than record.expires_at
};
using StoredPtr = std::shared_ptr<const Stored>;

/// How much of a record to read: conditions and indexes need only its head (`value` stays empty).
enum class Part : std::uint8_t { head, whole };

/// Everything of the encoding but the value, which follows the head as it is.
std::string encode_head(const Stored& stored);
/// nullopt: damaged, or written by a newer version. Pure; any thread.
std::optional<Stored> decode_record(std::string_view in, Part part);

/// A place in the expiry index.
struct Due {
  WallMillis at = 0;
  std::string key;
};
std::string encode_due(WallMillis at, std::string_view key);
std::optional<Due> decode_due(std::string_view in);

/// The value of an entry of the expiry index: whether its record is ended.
std::string_view encode_ended(bool ended);
/// nullopt: the entry does not say.
std::optional<bool> says_ended(std::string_view value);

/// The front of all the principal's keys in the principal index; the record's key follows.
std::string encode_principal(std::string_view principal);

}  // namespace stateway::store
